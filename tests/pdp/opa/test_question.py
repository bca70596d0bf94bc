"""A question has the input that a server would give OPA, or none."""

import time
from pathlib import PurePosixPath
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from pdp.errors import InvalidRequest
from pdp.opa.question import Question, given, heard
from pdp.policy.attributes import Attributes
from pdp.policy.schema import schemas
from pdp.policy.sources import Source
from pdp.v1.decision_pb2 import AuthorizeRequest

PEOPLE = frozenset({"user"})
OPEN = Attributes(schemas([]))
CALLER = {"identity": "agent:bot", "kind": "workload", "groups": ["etl"]}
REQUEST: dict[str, Any] = {
    "subject": {"type": "agent", "id": "bot", "properties": {}},
    "on_behalf_of": [],
    "action": {"name": "export", "properties": {}},
    "resource": {"type": "table", "id": "t", "properties": {"id": 5, "properties": 6}},
    "context": {"rows": 5, "id": 7, "type": {}, "properties": 1},
}
WHOLE = {**REQUEST, "caller": CALLER}
OFF = {"lineage": {"state": "OFF"}}


def posed(question: Question, **changed: Any) -> Any:
    whole = question.whole(OPEN)
    return orjson.loads(whole.posed({**whole.members, **changed}, OPEN))


def test_a_decision_is_asked_as_the_server_asks() -> None:
    assert posed(heard("t", {**WHOLE, "now": 9}, PEOPLE)) == {**WHOLE, **OFF, "now": 9}


def test_lineage_is_the_servers_word() -> None:
    known = {"lineage": {"state": "KNOWN", "tags": ["pii"]}}
    assert posed(heard("t", {**WHOLE, **known}, PEOPLE), context={}) == {**WHOLE, **known, "context": {}, "now": 0}
    masks = {"request": REQUEST, "caller": CALLER, "now": 3, "columns": [{"name": "a"}], **known}
    assert posed(heard("t", masks, PEOPLE))["lineage"] == known["lineage"]


def test_what_a_test_leaves_out_is_empty_and_its_caller_is_the_subject() -> None:
    bare = {"subject": {"type": "user", "id": "eve"}, "action": {"name": "read"}, "resource": {"type": "t", "id": "1"}}
    asked = posed(heard("t", bare, PEOPLE))
    assert asked["caller"] == {"identity": "user:eve", "kind": "person", "groups": []}
    assert (asked["on_behalf_of"], asked["context"], asked["now"]) == ([], {}, 0)
    assert asked["subject"]["properties"] == {}


def test_masks_are_asked_with_the_columns() -> None:
    columns = [{"name": "ssn", "type": "string", "leaf": True, "above": []}]
    question = {"request": REQUEST, "caller": CALLER, "now": 3, "columns": columns}
    assert posed(heard("t", question, PEOPLE)) == {**question, **OFF}


def test_a_change_is_read_and_everything_else_is_kept() -> None:
    changed = posed(heard("t", WHOLE, PEOPLE), context={"rows": True})
    assert changed == {**WHOLE, **OFF, "context": {"rows": True}, "now": 0}
    assert posed(heard("t", WHOLE, PEOPLE), on_behalf_of=None)["on_behalf_of"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"resource": {**REQUEST["resource"], "id": 5}},
        {"resource": {**REQUEST["resource"], "id": ""}},
        {"resource": {**REQUEST["resource"], "properties": []}},
        {"resource": "table:t"},
        {"resource": {**REQUEST["resource"], "colour": "red"}},
        {"context": []},
        {"context": {"big": 2**60}},
        {"on_behalf_of": [["user:alice"]]},
        {"subject": None},
        {"caller": None},
        {"caller": {**CALLER, "kind": "robot"}},
        {"caller": {**CALLER, "groups": [1]}},
        {"caller": {**CALLER, "identity": ""}},
        {"colour": {}},
    ],
)
def test_what_a_server_does_not_take_has_no_input(changed: dict[str, Any]) -> None:
    question = heard("t", WHOLE, PEOPLE).whole(OPEN)
    with pytest.raises(InvalidRequest):
        heard("t", {**WHOLE, **changed}, PEOPLE).whole(OPEN).posed({**question.members, **changed}, OPEN)


def test_schemas_are_asked_as_the_server_asks_them() -> None:
    file = PurePosixPath("schema/resource/table.json")
    typed = Attributes(schemas([Source("p", file, "table.json", b'{"type": "object", "properties": {}}')]))
    with pytest.raises(InvalidRequest, match=r"resource\.properties"):
        heard("t", WHOLE, PEOPLE).whole(typed)


def test_a_message_is_asked_now_by_its_subject() -> None:
    message = json_format.ParseDict({**REQUEST, "justification": "x", "dry_run": True}, AuthorizeRequest())
    asked = posed(given("f", message, ["etl"], PEOPLE))
    assert abs(asked.pop("now") - time.time_ns()) < 60e9
    assert asked == {**WHOLE, **OFF}
