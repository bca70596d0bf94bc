"""What a reviewer sends and gets, and the queue."""

import pytest

from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.parts import Placet, exporting
from tests.pdp.reads import ids, seen
from tests.pdp.wire import refused

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
    good = {"approval_id": approval.approval_id, "expected_digest": approval.request_digest}
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
        assert found == sorted(found, reverse=True)
