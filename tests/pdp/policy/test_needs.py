"""Every builtin of OPA is called with every kind of JSON value: those that take several without failing are known."""

import json
import socket
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from pdp.environment import Environment
from pdp.opa.process import OpaProcess
from pdp.policy.needs import ANYTHING, NEEDS
from pdp.policy.stock import capabilities, output
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
VALUES: Mapping[str, list[Any]] = {
    "null": [None],
    "boolean": [True],
    "number": [0, 12345],
    "string": ["", "s"],
    "array": [[], ["s"], [1], [None]],
    "object": [{}, {"a": 1}],
}
GOOD: Mapping[str, list[str]] = {
    "array.flatten": ["[1]"],
    "base64.decode": ['"YQ=="'],
    "base64url.decode": ['"YQ"'],
    "concat": ['","', '["a"]'],
    "format_int": ["10", "10"],
    "glob.match": ['"a"', "[]", '"a"'],
    "graph.reachable": ['{"a": ["a"]}', '["a"]'],
    "graph.reachable_paths": ['{"a": ["a"]}', '["a"]'],
    "graphql.is_valid": ['"{a}"', '"type Query {a: Int}"'],
    "graphql.parse": ['"{a}"', '"type Query {a: Int}"'],
    "graphql.parse_and_verify": ['"{a}"', '"type Query {a: Int}"'],
    "graphql.parse_query": ['"{a}"'],
    "graphql.parse_schema": ['"type Query {a: Int}"'],
    "graphql.schema_is_valid": ['"type Query {a: Int}"'],
    "hex.decode": ['"61"'],
    "internal.member_2": ["1", "[1]"],
    "internal.member_3": ["0", "1", "[1]"],
    "intersection": ["{{1}}"],
    "io.jwt.decode": ['"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.uuuu"'],
    "json.filter": ['{"a": 1}', '["a"]'],
    "json.marshal_with_options": ["1", '{"pretty": false}'],
    "json.patch": ['{"a": 1}', '[{"op": "add", "path": "/b", "value": 1}]'],
    "json.remove": ['{"a": 1}', '["a"]'],
    "json.unmarshal": ['"1"'],
    "max": ["[1]"],
    "min": ["[1]"],
    "net.cidr_contains": ['"10.0.0.0/8"', '"10.1.0.0/16"'],
    "net.cidr_contains_matches": ['"10.0.0.0/8"', '"10.1.0.0/16"'],
    "net.cidr_expand": ['"10.0.0.0/30"'],
    "net.cidr_intersects": ['"10.0.0.0/8"', '"10.1.0.0/16"'],
    "net.cidr_is_valid": ['"10.0.0.0/8"'],
    "net.cidr_merge": ['["10.0.0.0/8"]'],
    "numbers.range": ["1", "2"],
    "numbers.range_step": ["1", "3", "1"],
    "object.filter": ['{"a": 1}', '["a"]'],
    "object.get": ['{"a": 1}', '"a"', "0"],
    "object.remove": ['{"a": 1}', '["a"]'],
    "object.subset": ['{"a": 1}', '{"a": 1}'],
    "object.union_n": ['[{"a": 1}]'],
    "providers.aws.sign_req": [
        '{"method": "get", "url": "http://a/"}',
        '{"aws_access_key": "a", "aws_secret_access_key": "b", "aws_service": "s", "aws_region": "r"}',
        "1",
    ],
    "regex.template_match": ['"a{b}"', '"ab"', '"{"', '"}"'],
    "rego.parse_module": ['"a.rego"', '"package a"'],
    "semver.compare": ['"1.0.0"', '"1.0.0"'],
    "semver.is_valid": ['"1.0.0"'],
    "split": ['"a,b"', '","'],
    "sprintf": ['"%v"', "[1]"],
    "strings.render_template": ['"a{{.a}}"', '{"a": 1}'],
    "strings.replace_n": ['{"a": "b"}', '"a"'],
    "strings.split_n": ['"a,b"', '","', "1"],
    "time.add_date": ["0", "1", "1", "1"],
    "time.clock": ["1"],
    "time.date": ["1"],
    "time.diff": ["1", "2"],
    "time.format": ["1"],
    "time.parse_duration_ns": ['"1h"'],
    "time.parse_ns": ['"2006"', '"2020"'],
    "time.parse_rfc3339_ns": ['"2026-01-01T00:00:00Z"'],
    "time.weekday": ["1"],
    "to_number": ['"1"'],
    "union": ["{{1}}"],
    "units.parse": ['"1K"'],
    "units.parse_bytes": ['"1KB"'],
    "uri.parse": ['"http://a/"'],
    "urlquery.decode_object": ['"a=1"'],
    "urlquery.encode_object": ['{"a": "b"}'],
    "uuid.parse": ['"00112233-4455-6677-8899-aabbccddeeff"'],
    "yaml.unmarshal": ['"1"'],
}
"""Arguments with which a builtin answers. For the others, values of the declared types do, or nothing short does."""
SECRETS = {"crypto.x509", "crypto.parse_private_keys", "io.jwt.verify", "io.jwt.encode_sign"}
"""Beginnings of builtins that take keys and certificates: they fail for the texts here, too."""
OUTSIDE = {"assign", "eq", "print", "internal.print", "internal.test_case", "internal.template_string", "rego.metadata"}
"""What is no call of an author's, or takes no argument of a caller: a template string has every value as text."""


def builtins() -> dict[str, Any]:
    """The builtins that policies may call, by name."""
    found = {one["name"]: one for one in capabilities(OPA)["builtins"]}
    return {
        name: one
        for name, one in found.items()
        if one["decl"].get("args") and not one.get("deprecated") and not any(map(name.startswith, OUTSIDE))
    }


def sample(declared: Mapping[str, Any]) -> str:
    """A value of a declared type, as Rego."""
    match declared:
        case {"type": "any", "of": [*_, last]}:
            return sample(last)
        case {"type": "array", "dynamic": inner}:
            return f"[{sample(inner)}]"
        case {"type": "set", "of": inner}:
            return f"{{{sample(inner)}}}"
        case {"type": kind}:
            return {"number": "1", "string": '"a"', "boolean": "true", "null": "null", "object": '{"a": 1}'}.get(
                kind, "[1]"
            )
    raise ValueError(declared)


def call(name: str, arguments: list[str]) -> str:
    match name, arguments:
        case "internal.member_2", [item, domain]:
            return f"{item} in {domain}"
        case "internal.member_3", [key, item, domain]:
            return f"({key}, {item} in {domain})"
    return f"{name}({', '.join(arguments)})"


def rules(name: str, arguments: list[str], at: str, *, relation: bool) -> str:
    """Two rules: one whose body is the call, which OPA's rule index may leave out; one that takes the answer."""
    if relation:
        return f"a_{at} if {call(name, [*arguments, '_'])}\n\nb_{at} contains y if {call(name, [*arguments, 'y'])}\n\n"
    return f"a_{at} if {call(name, arguments)}\n\nb_{at} contains y if y := {call(name, arguments)}\n\n"


def module() -> str:
    """Two rules for each argument of each builtin, and two with arguments that fit."""
    text = "package t\n\n"
    for number, (name, one) in enumerate(builtins().items()):
        good, relation = GOOD.get(name) or [sample(each) for each in one["decl"]["args"]], bool(one.get("relation"))
        text += rules(name, good, f"{number}_good", relation=relation)
        for index in range(len(good)):
            asked = [*good[:index], "input.x", *good[index + 1 :]]
            text += rules(name, asked, f"{number}_{index}", relation=relation)
    return text


class Connection(HTTPConnection):
    """Asks an OPA on a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("opa")
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def answer(self, rule: str, value: Any = None) -> Any:
        """The rule's value; `None` if a builtin failed, `...` if it is undefined."""
        body = json.dumps({"input": {"x": value}})
        self.request(
            "POST", f"/v1/data/t/{rule}?strict-builtin-errors=true", body, {"Content-Type": "application/json"}
        )
        with self.getresponse() as answer:
            found = json.loads(answer.read())
        return found.get("result", ...) if answer.status == HTTPStatus.OK else None

    def taken(self, at: str) -> set[str]:
        """The kinds of values for which one of the two rules does not fail."""
        return {
            kind
            for kind, values in VALUES.items()
            if any(self.answer(f"{form}_{at}", value) is not None for value in values for form in "ab")
        }


async def test_argument_that_takes_values_of_several_kinds_is_known(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "t.rego").write_text(module())
    (tmp_path / "bundle").mkdir()
    bundle = tmp_path / "bundle" / "bundle.tar.gz"
    output(OPA, "build", "t", "-o", bundle, folder=tmp_path)
    async with OpaProcess(OPA, bundle, tmp_path / "opa.sock", say=print):
        with closing(Connection(tmp_path / "opa.sock")) as asked:
            several = {
                (name, index)
                for number, (name, one) in enumerate(builtins().items())
                for index in range(len(one["decl"]["args"]))
                if len(asked.taken(f"{number}_{index}")) > 1
            }
            silent = [name for number, name in enumerate(builtins()) if asked.answer(f"b_{number}_good") in (None, [])]
    assert [name for name in silent if not any(map(name.startswith, SECRETS))] == []
    assert several == NEEDS.keys() | {each for each in ANYTHING if each[0] in builtins()}


def test_every_need_says_why_and_has_a_kind_to_write() -> None:
    assert all(need.kinds and "`{}`" in need.why for need in NEEDS.values())
