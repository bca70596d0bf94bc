"""Which entries can vanish: each term stands as the reason of an entry, with the statements of its rule's body."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from pdp.environment import Environment
from pdp.policy.module import Module, modules
from pdp.policy.reference import definitions
from pdp.policy.sources import Source
from pdp.policy.total import Totality
from pdp.process.toolcache import opa
from tests import authored

OPA = opa(Environment.read().tool_cache)
DATA = {"nothing_yet": None, "owners": {"customers": "stewards"}, "title": "a text", "list": ["a"]}
LIBRARY = """
package lib.words

constant := "a text"

conditional := "a text" if input.context.purpose

of_the_caller := sprintf("%v rows", [input.context.rows])

with_default := "a text" if input.context.purpose

default with_default := "none"

with_else := input.context.purpose if {
	input.context.rows
} else := "none"

else_of_the_caller := "a text" if {
	input.context.rows
} else := input.context.purpose

first_of_many := "a text" if input.context.rows

first_of_many := constant

from_a_rule := concat(" ", [constant, with_default])

from_a_conditional := concat(" ", [constant, conditional])

circle := other_circle

other_circle := circle

names contains input.context.purpose

titles[name] := name if some name in names

label(x) := sprintf("%v", [x])

own(x) := object.get(input.context, x, "none")

prepared(x) := text if {
	read := object.get(input.context, x, "none")
	text := sprintf("%v", [read])
}

conditional_of(x) := x if x != "y"

with_default_of(x) := x if x != "y"

default with_default_of(_) := "none"

of_one_value("y") := "a text"

same(x, x) := "a text"

of_the_caller_by(x) := concat(" ", [x, input.context.purpose])
"""
TOTAL = {
    "constant": ('"a text"', ""),
    "array, object and set": ('{"a": ["b", {"c", 1, null, true}]}', ""),
    "comprehension": ("[x | x := input.context.rows]", ""),
    "set comprehension": ("{x | x := input.context.rows}", ""),
    "object comprehension": ("{x: 1 | x := input.context.rows}", ""),
    "template string": ('$"{input.context.rows} rows"', ""),
    "action": ("input.action.name", ""),
    "type and id of the subject": ('concat(":", [input.subject.type, input.subject.id])', ""),
    "type and id of the resource": ('concat(":", [input.resource.type, input.resource.id])', ""),
    "caller": ('sprintf("%v %s", [input.caller, input.caller.identity])', ""),
    "time": ("time.weekday([input.now, `UTC`])", ""),
    "whole context": ("json.marshal(input.context)", ""),
    "data that is there": ("data.title", ""),
    "data that is null": ("data.nothing_yet", ""),
    "whole list of the data": ('concat(", ", data.list)', ""),
    "iterated": ("tag", "some tag in input.resource.properties.tags"),
    "iterated with its key": ('sprintf("%v: %v", [key, value])', "some key, value in input.context"),
    "iterated by a pattern": ("name", "some [name, _] in input.context.pairs"),
    "id of an iterated party": ("party.id", "some party in input.on_behalf_of"),
    "used by a condition": ("rows", "rows := input.context.rows\n\trows > 5"),
    "used by a negated condition": ("rows", "rows := input.context.rows\n\tnot rows == 5"),
    "used within a condition": ("rows", "rows := input.context.rows\n\tcount([x | x := data.list[_]; x == rows]) > 5"),
    "used by an assignment that is a condition": ("rows", "rows := input.context.rows\n\ty := rows * 2\n\ty > 5"),
    "part of a list that a condition uses": ("day", "[day, hour] := input.context.times\n\thour > 5"),
    "there, says the body": ("x", 'x := object.get(input.context, "x", null)\n\tx != null'),
    "reference of a condition": ('sprintf("%v rows", [input.context.rows])', "input.context.rows > 5"),
    "beginning of a reference of a condition": ("input.context.x", 'input.context.x.y == "z"'),
    "reference of a condition, prepared": ("text", 'text := sprintf("%v", [input.context.x])\n\tinput.context.x > 5'),
    "reference by a variable of a condition": ("data.owners[x]", 'some x in ["a"]\n\tdata.owners[x] != "nobody"'),
    "key that is there": ("data.owners[input.resource.id]", "input.resource.id in object.keys(data.owners)"),
    "member of data": ("input.context.x", "input.context.x in data.list"),
    "domain of a condition": ("input.context.x", "some y in input.context.x\n\ty > 1"),
    "domain of an every": ("input.context.x", "every y in input.context.x {\n\t\ty > 1\n\t}"),
    "bound by a condition": ("name", "data.owners[name] == input.context.owner"),
    "prepared": ("text", 'text := sprintf("%v", [input.action.name])'),
    "prepared by unification": ("text", 'text = sprintf("%v", [input.action.name])'),
    "prepared twice": ("text", "name := input.action.name\n\ttext := upper(name)"),
    "prepared pair": ("first", "[first, _] := [input.action.name, 1]"),
    "prepared time": ("hour", "[hour, _, _] := time.clock([input.now, `UTC`])"),
    "prepared whole": ("text", "some text in [input.action.name, input.subject.id]"),
    "object.get of the request": ('object.get(input.context, "rows", "unknown")', ""),
    "object.get of the data": ('object.get(data.owners, input.resource.id, "nobody")', ""),
    "object.get by a path": ('object.get(input, ["context", "rows"], 0)', ""),
    "union": ('object.union({"a": 1}, object.get(data.owners, "x", {}))', ""),
    "operators": ("(input.now + 1) / 2", ""),
    "comparison": ("input.now > 2", ""),
    "membership": ('input.action.name in {"a", "b"}', ""),
    "rule without a condition": ("words.constant", ""),
    "rule by its whole path": ("data.lib.words.constant", ""),
    "rule with a default": ("words.with_default", ""),
    "rule with an else for the rest": ("words.with_else", ""),
    "rule of which one always holds": ("words.first_of_many", ""),
    "rule of total rules": ("words.from_a_rule", ""),
    "set that rules add to": ("words.names", ""),
    "object that rules add to": ("words.titles", ""),
    "function": ("words.label(input.now)", ""),
    "function of the request": ("words.own(`x`)", ""),
    "function that prepares its value": ("words.prepared(`x`)", ""),
    "function with a default": ("words.with_default_of(input.now)", ""),
}
LACKING = {
    "context": ("input.context.rows", "", "input.context.rows"),
    "property": ("input.resource.properties.tags", "", "input.resource.properties.tags"),
    "within a builtin": ('sprintf("%v", [input.context.rows])', "", "input.context.rows"),
    "within a list": ('["a", {"b": input.context.rows}]', "", "input.context.rows"),
    "of no request": ("input.nothing", "", "input.nothing"),
    "data that is not there": ("data.nothing.at_all", "", "data.nothing.at_all"),
    "data by what is asked": ("data.owners[input.resource.id]", "", "data.owners[input.resource.id]"),
    "data by a number": ("data.list[7]", "", "data.list[7]"),
    "step of a step": ("data.owners.customers.name", "", "data.owners.customers.name"),
    "key of object.get": ('object.get(data.owners, input.context.x, "none")', "", "input.context.x"),
    "default of object.get": ('object.get(data.owners, "x", input.context.x)', "", "input.context.x"),
    "base of object.get": ('object.get(input.context.x, "y", "none")', "", "input.context.x"),
    "only the entry reads it": ("rows", "rows := input.context.rows", "input.context.rows"),
    "unified for the entry": ("rows", "input.context.rows = rows", "input.context.rows"),
    "by way of a second variable": ("text", "rows := input.context.rows\n\ttext := rows", "input.context.rows"),
    "by way of two unifications": ("text", "rows = input.context.rows\n\ttext = rows", "input.context.rows"),
    "only printed": ("rows", "rows := input.context.rows\n\tprint(rows)", "input.context.rows"),
    "only declared": ("x", "some x\n\tx = input.context.rows", "input.context.rows"),
    "a list of one": ("rows", "some rows in [input.context.rows]", "input.context.rows"),
    "output of a builtin": ("text", 'sprintf("%v", [input.context.rows], text)', "input.context.rows"),
    "same name in a comprehension": (
        "rows",
        "rows := input.context.rows\n\tcount([rows | some rows in [1]]) == 1",
        "input.context.rows",
    ),
    "same name in an every": (
        "rows",
        "rows := input.context.rows\n\tevery rows in [1] {\n\t\trows == 1\n\t}",
        "input.context.rows",
    ),
    "reference of a negated condition": ("input.context.x", "not input.context.x == 5", "input.context.x"),
    "reference of a comprehension": ("input.context.x", "count([1 | input.context.x]) < 5", "input.context.x"),
    "reference within an every": (
        "input.context.x",
        "every y in data.list {\n\t\ty == input.context.x\n\t}",
        "input.context.x",
    ),
    "reference of another input": ("input.context.x", "input.context.x with input as {}", "input.context.x"),
    "reference of a template": ("input.context.x", '$"{input.context.x}" != "y"', "input.context.x"),
    "further than the reference of a condition": ("input.context.x.y", "input.context.x", "input.context.x.y"),
    "some of a list": ("tag", "tag := input.context.tags[_]", "input.context.tags[_]"),
    "some of an object": ("v", "input.context[k] = v", "input.context[k]"),
    "object taken apart": ("x", '{"x": x} = input.context', '{"x": x}'),
    "pair of any length": ("first", "[first, _] := split(input.action.name, `.`)", "first"),
    "another input": ("x", "x := input.action.name with input as {}", "x"),
    "step of a variable": ("tag.name", "some tag in data.list", "tag.name"),
    "property of an iterated party": (
        "party.properties.team",
        "some party in input.on_behalf_of",
        "party.properties.team",
    ),
    "step of a call": ('split(input.action.name, ".")[1]', "", 'split(input.action.name, ".")[1]'),
    "least": ("min(data.list)", "", "min(data.list)"),
    "rule with a condition": ("words.conditional", "", "words.conditional"),
    "rule of the caller's word": ("words.of_the_caller", "", "words.of_the_caller"),
    "rule whose else may lack": ("words.else_of_the_caller", "", "words.else_of_the_caller"),
    "rule of a rule with a condition": ("words.from_a_conditional", "", "words.from_a_conditional"),
    "rules in a circle": ("words.circle", "", "words.circle"),
    "step of a rule": ("words.titles.x", "", "words.titles.x"),
    "function with a condition": ("words.conditional_of(`x`)", "", "words.conditional_of(`x`)"),
    "function of one value": ("words.of_one_value(`x`)", "", "words.of_one_value(`x`)"),
    "function of two that are the same": ("words.same(`x`, `y`)", "", "words.same(`x`, `y`)"),
    "function of the caller's word": ("words.of_the_caller_by(`x`)", "", "words.of_the_caller_by(`x`)"),
    "argument of a function": ("words.label(input.context.rows)", "", "input.context.rows"),
    "argument of a function with a default": ("words.with_default_of(input.context.x)", "", "input.context.x"),
}
LISTS = """
package lib.lists

texts contains sprintf("%v", [input.context.x]) if input.now

asked contains sprintf("%v", [input.context.x]) if input.context.x

plain contains input.context.x

names contains name if some name in input.context.names

written := ["a", sprintf("%v", [input.context.x])]

made := [sprintf("%v", [x]) | x := input.context.x]

of(name) := [{"rule": name, "reason": sprintf("%v", [input.context.x])}]

of_total(name) := [{"rule": name, "reason": "r"}]

entry := {"rule": "a", "reason": input.context.x} if input.now

in_a_circle contains x if some x in around

around contains x if some x in in_a_circle
"""
_LOST = '{"rule": "a", "reason": sprintf("%v", [input.context.x])}'
_KEPT = '{"rule": "a", "reason": sprintf("%v", [input.now])}'
GONE_THROUGH = {
    "set of a helper": ("x", "some x in lists.texts", True),
    "set of a helper by its key": ("x", "lists.texts[x]", True),
    "set that a condition tests": ("x", "all := lists.texts\n\tcount(all) > 0\n\tsome x in all", True),
    "list of a helper": ("x", "some x in lists.written", True),
    "comprehension of a helper": ("x", "some x in lists.made", True),
    "set of what is there": ("x", "some x in lists.plain", False),
    "set that asks for its parts": ("x", "some x in lists.asked", False),
    "set of names": ("x", "some x in lists.names", False),
    "sets in a circle": ("x", "some x in lists.in_a_circle", False),
    "list of a function": ("x", 'some x in lists.of("a")', True),
    "total list of a function": ("x", 'some x in lists.of_total("a")', False),
    "argument of a function": ("x", "some x in lists.of_total(input.context.x)", True),
    "lists that are joined": ("x", 'some x in array.concat(lists.written, ["b"])', True),
    "comprehension": ("x", f"some x in [each | each := {_LOST}]", True),
    "total comprehension": ("x", f"some x in [each | each := {_KEPT}]", False),
    "object comprehension": ("x", f'some x in {{key: {_LOST} | some key in ["a"]}}', True),
    "object whose keys a condition tests": ("x", f'some key, x in {{"a": {_LOST}}}\n\tkey == "a"', True),
    "total object whose keys a condition tests": ("x", f'some key, x in {{"a": {_KEPT}}}\n\tkey == "a"', False),
    "compared with null": ("x", f"x := {_LOST}\n\tx != null", True),
    "total and compared with null": ("x", f"x := {_KEPT}\n\tx != null", False),
    "its type": ("x", f"x := object.union({_KEPT}, {_LOST})\n\tis_object(x)", True),
    "looked up": ("x", f't := {{"a": {_LOST}}}\n\tx := object.get(t, input.action.name, null)\n\tx != null', True),
    "looked up by a step": ("x", f't := {{"a": {_LOST}}}\n\tx := t[input.action.name]\n\tx != null', True),
    "total and looked up": ("x", f't := {{"a": {_KEPT}}}\n\tx := t[input.action.name]\n\tx != null', False),
    "entry of a helper": ("x", "x := lists.entry\n\tx != null", True),
    "looked up in the data": ("x", "x := data.owners[input.resource.id]\n\tx != null", False),
    "number that a condition tests": ("[x]", "x := input.context.a / input.context.b\n\tx > 5", False),
    "comprehension of what may be absent": ("[y | y := x]", "x := input.context.x", True),
    "comprehension of what is asked": ("[y | y := x]", "x := input.context.x\n\tx > 5", False),
}


@pytest.mark.parametrize("name", GONE_THROUGH)
def test_test_of_a_whole_does_not_excuse_its_parts(name: str) -> None:
    term, body, lacks = GONE_THROUGH[name]
    text = f"package policy\n\nimport data.lib.lists\n\ndeny contains {term} if {{\n\tinput.now\n\t{body}\n}}\n"
    policy, library = parsed({"p.rego": text, "lib/lists.rego": LISTS})
    found = list(Totality(definitions([policy, library]), DATA).findings(policy))
    assert any("input.context.x" in finding.sentence for finding in found) == lacks == bool(found)


def parsed(texts: dict[str, str]) -> list[Module]:
    sources = [Source("mine", PurePosixPath(name), name, text.encode()) for name, text in texts.items()]
    found = modules(OPA, sources)
    assert len(found) == len(texts), "a module of this test is no Rego"
    return found


def policy_of(cases: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, int]]:
    """A module with a rule for each case, and the line of each. One module holds all: each parse is a process."""
    text, starts = "package policy\n\nimport data.lib.words\n", {}
    for name, (term, body, *_) in cases.items():
        starts[name] = text.count("\n") + 1
        text += f'deny contains {{"rule": "{name}", "reason": {term}}} if {{\n\tinput.now == 0\n\t{body}\n}}\n\n'
    return text, starts


@cache
def found() -> dict[str, list[str]]:
    """The sentences about each case."""
    text, starts = policy_of(TOTAL | LACKING)
    policy, library = parsed({"p.rego": text, "lib/words.rego": LIBRARY})
    said: dict[str, list[str]] = defaultdict(list)
    for finding in Totality(definitions([policy, library]), DATA).findings(policy):
        assert finding.rule == "droppable-entry"
        name = max((name for name in starts if starts[name] <= finding.line), key=starts.__getitem__)
        said[name].append(finding.sentence)
    return said


@pytest.mark.parametrize("name", TOTAL)
def test_total_entry_stays(name: str) -> None:
    assert found()[name] == []


@pytest.mark.parametrize("name", LACKING)
def test_entry_with_a_part_that_may_have_no_value_is_found(name: str) -> None:
    assert [LACKING[name][2] in sentence for sentence in found()[name]] == [True]


MINIMAL = {
    "subject": {"type": "agent", "id": "bot", "properties": {}},
    "on_behalf_of": [],
    "action": {"name": "read", "properties": {}},
    "resource": {"type": "table", "id": "orders", "properties": {}},
    "context": {},
    "caller": {"identity": "agent:bot", "kind": "workload", "groups": []},
    "now": 0,
}
"""A request that says no more than every request must."""


def test_total_entries_are_there_for_whoever_says_least(tmp_path: Path) -> None:
    cases = {name: case for name, case in TOTAL.items() if not case[1] or name.startswith("prepared")}
    library = LIBRARY.replace("circle := other_circle\n\nother_circle := circle\n", "")
    for name, text in (("p.rego", policy_of(cases)[0]), ("w.rego", library), ("data.json", json.dumps(DATA))):
        (tmp_path / name).write_text(text)
    command = [OPA, "eval", "--strict-builtin-errors", "--stdin-input", "--format", "raw", "--data", tmp_path]
    asked = json.dumps(MINIMAL).encode()
    said = subprocess.run([*command, "data.policy.deny"], input=asked, capture_output=True, check=True).stdout
    assert {entry["rule"] for entry in json.loads(said)} == cases.keys()


SETS = {
    "deny": True,
    "needs_approval": True,
    "obligation": True,
    "mask": True,
    "allow": False,
}


@pytest.mark.parametrize(("name", "restricts"), SETS.items())
def test_every_set_that_restricts_is_held_to_it(name: str, *, restricts: bool) -> None:
    text = f'package policy\n\n{name} contains {{"rule": "x", "reason": input.context.x}} if input.now > 0\n'
    (policy,) = parsed({"p.rego": text})
    assert bool(list(Totality(definitions([policy]), {}).findings(policy))) == restricts


def test_each_part_that_lacks_is_said_once() -> None:
    reason = 'sprintf("%v %v %v", [input.context.x, input.context.y, input.context.x])'
    (policy,) = parsed({"p.rego": f'package policy\n\ndeny contains {{"rule": "x", "reason": {reason}}}\n'})
    sentences = [finding.sentence for finding in Totality(definitions([policy]), {}).findings(policy)]
    assert [sentence.split("`")[1] for sentence in sentences] == ["input.context.x", "input.context.y"]


ROWS = {"type": "object", "properties": {"rows": {"type": "integer"}, "note": {"type": "string"}}, "required": ["rows"]}
OWNED = {"type": "object", "properties": {"owner": {"type": "string"}}, "required": ["owner", "unlisted"]}
EXPORT = 'input.action.name == "export"'
PROMISED = {
    "of the action": (EXPORT, "input.context.rows", False),
    "of any action": ("input.resource.id", "input.context.ticket", False),
    "of any action, beside the action's own": (EXPORT, "input.context.ticket", False),
    "of the type": ('input.resource.type == "table"', "input.resource.properties.owner", False),
    "not required": (EXPORT, "input.context.note", True),
    "of another action": ('input.action.name == "copy"', "input.context.rows", True),
    "of two actions": ('input.action.name in {"export", "copy"}', "input.context.rows", True),
    "of an action that is not named": ("input.resource.id", "input.context.rows", True),
    "of an action that is denied": ('input.action.name != "export"', "input.context.rows", True),
    "of a type that is not named": (EXPORT, "input.resource.properties.owner", True),
    "of the chain": ('input.subject.type == "user"', "input.on_behalf_of[0].properties.owner", True),
}


@pytest.mark.parametrize("name", PROMISED)
@pytest.mark.parametrize("entry", ["deny", "mask"])
def test_what_a_schema_requires_is_there_but_for_masks(entry: str, name: str, tmp_path: Path) -> None:
    body, term, lacks = PROMISED[name]
    more = ', "columns": ["a"], "mask": "clear"' if entry == "mask" else ""
    rule = f'{entry} contains {{"rule": "d", "reason": sprintf("%v", [{term}]){more}}} if {body}\n'
    ticket = {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket"]}
    files = {"context/export": ROWS, "context/any": ticket, "resource/table": OWNED, "subject/user": OWNED}
    schemas = {f"schema/{file}.json": schema for file, schema in files.items()}
    findings = authored.findings(authored.written(tmp_path, {"p.rego": f"package policy\n\n{rule}", **schemas}))
    rules = [finding.rule for finding in findings if finding.rule != "unknown-attribute"]
    assert ["droppable-entry"] * (lacks or entry == "mask") == rules
