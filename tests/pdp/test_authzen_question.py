"""A question put together from its parts."""

import json

import pytest

from pdp.authzen import Envelope
from pdp.authzen_question import Asked, Options, Part, obligation_type
from pdp.canonical import MAX_REQUEST_BYTES
from pdp.errors import InvalidRequest

ALICE = {"type": "user", "id": "alice", "properties": {}}
PARTS = {
    "subject": Part(ALICE),
    "action": Part({"name": "read", "properties": {}}),
    "resource": Part({"type": "table", "id": "customers", "properties": {}}, ignored=("resource.x",)),
    "context": Part({"a": 1}, supports=frozenset({"custom"}), approval="apr_1"),
}


def test_request_has_names_and_switches_and_no_attributes() -> None:
    asked = Asked.of(PARTS, Options({"request_id": "r"}, frozenset({"dry_run", "open_approval"})), ("x",))
    request = asked.request
    assert (request.subject.id, request.action.name, request.resource.id) == ("alice", "read", "customers")
    assert (request.request_id, request.dry_run, request.approval_id) == ("r", True, "apr_1")
    assert not request.HasField("context")
    assert (asked.opens, asked.supports, asked.ignored) == (True, {"custom"}, ("x", "resource.x"))
    assert asked.members["context"] == {"a": 1}


@pytest.mark.parametrize("name", ["subject", "action", "resource"])
def test_question_without_a_part_is_none(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Asked.of({key: part for key, part in PARTS.items() if key != name}, Options())
    [(path, sentence)] = caught.value.violations
    assert path == name
    example = {name: json.loads(sentence.removeprefix("is required, such as "))}
    assert Envelope(json.dumps(example).encode()).parts


def test_parts_share_the_room_of_a_request() -> None:
    heavy = {name: Part(part.members, MAX_REQUEST_BYTES // 4) for name, part in PARTS.items()}
    Asked.of(heavy, Options())
    with pytest.raises(InvalidRequest):
        Asked.of(heavy, Options(chain=Part([ALICE], 1)))


def test_who_is_vouched_for_joins_the_chain_once() -> None:
    asked = Asked.of(PARTS, Options(chain=Part([ALICE])))
    assert asked.joined([("user", "alice")]) is asked
    whole = asked.joined([("user", "alice"), ("user", "bob"), ("user", "bob")])
    assert [one["id"] for one in whole.members["on_behalf_of"]] == ["alice", "bob"]
    assert [one.id for one in whole.request.on_behalf_of] == ["alice", "bob"]
    assert len(asked.request.on_behalf_of) == 1


def test_registered_obligations_keep_their_name() -> None:
    assert [obligation_type(kind) for kind in ("step-up", "mask", "custom")] == ["step-up", "custom", "custom"]
