"""What the gateways of `docs/http.md` ask, asked of a server, and how they read its answers."""

import json
import re
from typing import Any

import pytest
import yaml

from pdp.dev import identity
from tests.documents import sections
from tests.parts import Placet
from tests.wire import heard, request, token

BLOCKS = {block.file: block.text for block in sections("docs/http.md")["A gateway"] if block.language == "yaml"}
ENVOY: dict[str, Any] = yaml.safe_load(BLOCKS["envoy.yaml"])
APISIX: dict[str, Any] = yaml.safe_load(BLOCKS["apisix.yaml"])
FILTER: str = ENVOY["typed_config"]["default_source_code"]["inline_string"]
FUNCTION: str = APISIX["plugins"]["serverless-pre-function"]["functions"][0]


def found(pattern: str, text: str) -> str:
    matched = re.search(pattern, text)
    assert matched, pattern
    return matched[1]


def says_yes(body: bytes) -> bool:
    """The filter's pattern, which is a regular expression here, too."""
    return re.match(found(r"body:match\('(.+)'\)", FILTER), body.decode()) is not None


def envoy_question(user: str, method: str, path: str) -> bytes:
    return (found(r"QUESTION = '(.+)'", FILTER) % (user, method, path)).encode()


@pytest.mark.parametrize(
    ("user", "method", "path", "is_allowed"),
    [("alice", "read", "/customers", True), ("alice", "DELETE", "/customers", False), ("nobody", "read", "/a", False)],
)
async def test_envoy_lets_an_allow_pass_and_nothing_else(
    server: Placet, user: str, method: str, path: str, *, is_allowed: bool
) -> None:
    sent = request(server, envoy_question(user, method, path), found(r'\[":path"\] = "(.+)"', FILTER))
    sent = sent.replace(token(server).encode(), identity.token(server.state, "dev").encode())
    answer = await heard(server, sent)
    assert answer.status == 200
    assert says_yes(answer.body) is is_allowed
    assert (answer.members["decision"] is True) is is_allowed


async def test_envoy_takes_no_refusal_for_a_yes(server: Placet) -> None:
    asked = envoy_question("alice", "read", "/customers")
    path = found(r'\[":path"\] = "(.+)"', FILTER)
    for sent in (asked.replace(b"user", b"user:"), b"", b'{"decision":true}'):
        answer = await heard(server, request(server, sent, path))
        assert answer.status == 400
        assert not says_yes(answer.body)


def test_envoy_asks_about_plain_texts_alone() -> None:
    plain = found(r'text:match\("(.+)"\)', FILTER).replace("%w", "A-Za-z0-9")
    assert re.fullmatch(plain, "/a/b-c_d.json")
    for text in ("", 'a"b', "a\\", "a b", "a%2f", "a\n", "é"):
        assert not re.match(plain.replace("$", r"\Z"), text)
    assert 'text:find("..", 1, true)' in FILTER


async def test_apisix_asks_what_its_function_says(server: Placet) -> None:
    assert {"subject", "action", "resource"} <= set(re.findall(r"(\w+) = \{", FUNCTION))
    assert "said.decision ~= true" in FUNCTION
    body = {
        "subject": {"type": found(r'subject = \{type = "(\w+)"', FUNCTION), "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": found(r'resource = \{type = "(\w+)"', FUNCTION), "id": "/customers"},
    }
    path = found(r"http://placet:4780(\S+)\"", FUNCTION)
    sent = request(server, json.dumps(body).encode(), path)
    sent = sent.replace(token(server).encode(), identity.token(server.state, "dev").encode())
    answer = await heard(server, sent)
    assert (answer.status, answer.members["decision"]) == (200, True)
