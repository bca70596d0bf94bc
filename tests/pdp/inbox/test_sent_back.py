"""A request that answers one which was sent back: what differs is shown to those whom the earlier one concerns."""

from typing import Any
from uuid import uuid4

from pdp.v1.approval_pb2 import Approval
from tests.approvals_page import path
from tests.browser import Browser
from tests.parts import Placet, asking
from tests.pdp.reads import seen
from tests.pdp.steps import changes


async def opened(server: Placet, requirement: dict[str, Any], supersedes: str = "") -> Approval:
    context = {"run": uuid4().hex, "asked": requirement}
    return (await server.authorize(asking("share", context=context, supersedes=supersedes))).approval


async def test_sent_back_approval_is_told_to_those_whom_it_concerns_alone(asked: Placet, bob: Browser) -> None:
    for_bob = await opened(asked, {"count": 1, "reviewers": {"groups": ["others"], "identities": ["user:bob"]}})
    back = (await asked.reviews.Review(changes(for_bob), metadata=asked.metadata("bob"))).approval
    held = await opened(asked, {}, supersedes=back.approval_id)
    told = await seen(asked, held, asked.metadata("bob"))
    assert told.sent_back.request == for_bob.request
    assert told.may_review
    others = await seen(asked, held, asked.metadata("carol"))
    assert others.may_review
    assert not others.HasField("sent_back")
    page = (await bob.get(path(held))).text
    assert "Compared with the one that was sent back" in page
    assert for_bob.request.context["run"] in page
