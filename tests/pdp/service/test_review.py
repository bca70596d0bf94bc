"""What a reviewer sends and gets, and the queue."""

from typing import Any

import pytest
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.v1.approval_pb2 import ApprovalState, ListApprovalsRequest, Verdict
from pdp.v1.request_pb2 import Request
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting
from tests.pdp.reads import ids, seen
from tests.pdp.steps import asked, changes, now, state_of
from tests.pdp.wire import nested, refused

DENIED = ApprovalState.APPROVAL_STATE_DENIED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expected_digest": "x"}, "DIGEST_MISMATCH"),
        ({"expected_digest": ""}, "DIGEST_MISMATCH"),
        ({"approval_id": f"apr_{1:032x}"}, "APPROVAL_NOT_FOUND"),
    ],
)
async def test_review_is_of_what_was_displayed(server: Placet, changes: dict[str, str], reason: str) -> None:
    approval = (await server.authorize(exporting())).approval
    good = {
        "approval_id": approval.approval_id,
        "expected_digest": approval.request_digest,
        "expected_version": 1,
        "expected_lineage": UNSEEN,
    }
    request = ReviewRequest(**{**good, **changes}, verdict=1)
    assert (await refused(server.reviews.Review(request, metadata=server.metadata("bob")))).reason == reason
    assert (await seen(server, approval, server.metadata("bob"))).may_review


async def test_queue_has_what_this_person_may_review(server: Placet) -> None:
    waits = (await server.authorize(exporting())).approval
    reviewed = (await server.authorize(exporting())).approval
    await server.review(reviewed, "bob")
    finished = await server.approved(exporting())
    for name, expected in (("bob", [waits]), ("carol", [waits, reviewed]), ("alice", [])):
        expected_ids = {approval.approval_id for approval in expected}
        found = await ids(server.reviews.ListQueue, ListQueueRequest(page_size=10), server.metadata(name))
        assert {one.approval_id for one in (waits, reviewed, finished)} & set(found) == expected_ids


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ({"reason": ""}, ["reason"]),
        ({"reason": " \n"}, ["reason"]),
        (
            {"suggestion": {"subject": {"type": "a", "id": "b"}, "action": {"name": "x"}}, "reason": ""},
            ["suggestion.resource.type", "suggestion.resource.id", "reason"],
        ),
        ({"verdict": Verdict.VERDICT_DENY, "suggestion": Request()}, ["suggestion"]),
        ({"verdict": Verdict.VERDICT_APPROVE, "suggestion": Request()}, ["suggestion"]),
        ({"verdict": 7}, ["verdict"]),
        (
            {"verdict": 7, "approval_id": "x", "expected_version": 0, "reason": "x" * 2001},
            ["approval_id", "verdict", "expected_version", "reason"],
        ),
    ],
)
async def test_send_back_is_whole(server: Placet, members: dict[str, Any], fields: list[str]) -> None:
    opened = (await server.authorize(exporting())).approval
    if isinstance(members.get("suggestion"), dict):
        members = {**members, "suggestion": json_format.ParseDict(members["suggestion"], Request())}
    why = await refused(server.reviews.Review(changes(opened, **members), metadata=server.metadata("bob")))
    assert (why.code, list(why.fields)) == ("INVALID_ARGUMENT", fields)
    assert state_of(await now(server, opened)) == "PENDING"


async def test_suggestion_is_held_to_the_limits_of_a_request(server: Placet) -> None:
    opened = (await server.authorize(exporting())).approval
    for context, field in ((nested(33), "suggestion.context"), ({"n": 2.0**60}, "suggestion.context.n")):
        suggestion = asked(exporting())
        suggestion.ClearField("context")
        suggestion.context.update(context)
        request = changes(opened, suggestion=suggestion)
        why = await refused(server.reviews.Review(request, metadata=server.metadata("bob")))
        assert why.code == "INVALID_ARGUMENT"
        assert why.fields[0].startswith(field)


async def test_deepest_suggestion_that_is_taken_is_read_by_everybody(server: Placet) -> None:
    suggestion = asked(exporting())
    suggestion.on_behalf_of[0].properties.CopyFrom(nested(32))
    opened = (await server.authorize(exporting())).approval
    await server.reviews.Review(changes(opened, suggestion=suggestion), metadata=server.metadata("bob"))
    read = (await now(server, opened)).reviews[0].suggestion
    assert canonical(read, "dev") == canonical(suggestion, "dev")
    page = await server.approvals.ListApprovals(ListApprovalsRequest(), metadata=server.metadata("report-bot"))
    assert page.approvals[0].reviews[0].suggestion == read
