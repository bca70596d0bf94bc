"""An id that is compared with an identity, and an identity that is compared with an id, is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.pdp.policy.test_never import found

IDENTITIES = {"robot:etl": {"owners": ["user:bob"]}}
DATA = {"typed": ["agent:bot"], "plain": ["bot"], "both": ["bot", "agent:bot"], "why": {"user:eve": "left"}}
CASE = {"type": "object", "properties": {"title": {"type": "string"}}}
MISTAKEN = {
    "of the subject": 'input.subject.id == "agent:bot"',
    "turned": '"user:bob" == input.subject.id',
    "one of some": 'input.subject.id in {"user:bob", "user:eve"}',
    "one of data": "input.subject.id in data.typed",
    "a name in data": "data.why[input.subject.id]",
    "each of data": "some each in data.typed\n\teach == input.subject.id",
    "any of data": "data.typed[_] == input.subject.id",
    "in small letters": 'lower(input.subject.id) == "agent:bot"',
    "of a link": 'some link in input.on_behalf_of\n\tlink.id == "user:bob"',
    "of any link": 'input.on_behalf_of[_].id == "user:bob"',
    "of a resource": 'input.resource.id == "table:orders"',
    "a type of a rule": 'input.resource.type == "secret"\n\tinput.resource.id == "secret:key"',
    "a type of data": 'input.subject.id == "robot:etl"',
    "a type of a schema": 'input.resource.id == "case:7"',
    "the beginning": 'startswith(input.subject.id, "agent:")',
    "by a helper": "data.lib.who.is_bot(input.subject.id)",
    "an identity": 'input.caller.identity == "bot"',
    "an identity of data": "input.caller.identity in data.plain",
}
FINE = {
    "an id": 'input.subject.id == "bot"',
    "with its type": 'input.subject.type == "agent"\n\tinput.subject.id == "bot"',
    "an id with a colon": 'input.subject.id == "system:serviceaccount:jobs:etl"',
    "an id of another kind": 'input.resource.id == "urn:orders"',
    "an identity": 'input.caller.identity == "agent:bot"',
    "the type of an identity": 'startswith(input.caller.identity, "agent:")',
    "an identity that is made": 'sprintf("%s:%s", [input.subject.type, input.subject.id]) == "agent:bot"',
    "a list of both": "input.subject.id in data.both\n\tinput.caller.identity in data.both",
    "a property": 'input.context.env == "user:bob"',
}


def refused(folder: Path, body: str) -> list[str]:
    helper = 'package lib.who\n\nis_bot(id) if id == "agent:bot"\n'
    data = {**DATA, "identities": IDENTITIES, "unread": [*DATA]}
    files: dict[str, Any] = {"data.json": data, "schema/resource/case.json": CASE}
    if "lib.who" in body:
        files["lib/who.rego"] = helper
    if "context.env" in body:
        files["schema/context/export.json"] = {"type": "object", "properties": {"env": {"type": "string"}}}
    return found(folder, body, **files)[0]


@pytest.mark.parametrize("body", MISTAKEN.values(), ids=MISTAKEN.keys())
def test_mistaken_id_is_refused(body: str, tmp_path: Path) -> None:
    assert set(refused(tmp_path, body)) == {"id-for-identity"}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_id_and_identity_in_their_places_are_fine(body: str, tmp_path: Path) -> None:
    assert refused(tmp_path, body) == []
