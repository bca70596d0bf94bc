"""What is over, too: exactly what GetApproval shows the person today, newest first."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest
from pdp.v1.review_pb2 import ListHistoryRequest
from tests.parts import Placet, asking, placet, refusal
from tests.pdp.mongo import database, set_back
from tests.pdp.reads import ids, seen
from tests.pdp.steps import cancel
from tests.tokens import Metadata, metadata

RULES = """package policy

needs_approval contains object.union(
	{"rule": "share", "reason": "asked for", "reviewers": {"identities": ["user:nobody"]}},
	object.get(input, ["context", "asked"], {}),
) if input.action.name in {"share", "send"}
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"], "others": ["user:eve"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}, "user:bob": {"same_as": ["user:rob"]}},
}
READERS: dict[str, Any] = {"reviewers": {"groups": ["readers"]}}


@pytest.fixture
async def alone(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose policy asks for what a request's context names."""
    (tmp_path / "rules.rego").write_text(RULES)
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:
        yield server


async def opened(server: Placet, asked: dict[str, Any], action: str = "share", **context: Any) -> Approval:
    request = asking(action, context={"run": uuid4().hex, "asked": asked, **context})
    return (await server.authorize(request)).approval


def by(server: Placet, identity: str, **claims: Any) -> Metadata:
    return metadata(server.state, identity, "reviewer", "requester", **claims)


async def history(server: Placet, who: Metadata, **filters: Any) -> list[str]:
    return await ids(server.reviews.ListHistory, ListHistoryRequest(page_size=2, **filters), who)


async def shown(server: Placet, who: Metadata, held: list[Approval]) -> list[str]:
    """The slow twin: those that GetApproval shows, newest first."""
    found, reasons = list[str](), set[str]()
    for one in sorted(held, key=lambda one: one.approval_id, reverse=True):
        try:
            await server.approvals.GetApproval(GetApprovalRequest(approval_id=one.approval_id), metadata=who)
        except grpc.aio.AioRpcError as error:
            reasons.add(refusal(error).reason)
        else:
            found.append(one.approval_id)
    assert reasons <= {"APPROVAL_NOT_FOUND"}
    return found


async def test_it_has_what_the_person_may_see_in_any_state_and_nothing_else(
    alone: Placet, mongod: MongodProcess
) -> None:
    asked: list[dict[str, Any]] = [
        READERS,
        {"reviewers": {"groups": ["others"]}},
        {"reviewers": {"identities": ["user:rob"]}},
        {"reviewers": {"groups": ["of a token"]}},
        {"reviewers": {"claims": {"level": 3}}},
        {},
    ]
    held = [await opened(alone, one) for one in (*asked, *asked)]
    await alone.review(held[0], "bob", "DENY")
    await cancel(alone, held[6])
    await set_back(mongod, alone, held[7].approval_id, "created_at", hours=100)
    people = {
        "bob": by(alone, "user:bob"),
        "rob": by(alone, "user:rob"),
        "eve": by(alone, "user:eve"),
        "of a token": by(alone, "user:zoe", groups=["of a token"]),
        "by claims": by(alone, "user:zoe", level=3),
        "nobody": by(alone, "user:zoe"),
        "asked in her name": by(alone, "user:alice"),
    }
    sizes = {}
    for name, who in people.items():
        found = await history(alone, who)
        assert found == await shown(alone, who, held), name
        sizes[name] = len(found)
    assert sizes["nobody"] == 0
    assert sizes["asked in her name"] == len(held)
    assert 0 < sizes["bob"] < len(held)


async def test_whoever_left_the_group_sees_nothing_of_it_any_more(alone: Placet, mongod: MongodProcess) -> None:
    held = await opened(alone, {"reviewers": {"groups": ["of a token"]}})
    member = by(alone, "user:zoe", groups=["of a token"])
    assert await history(alone, member) == [held.approval_id]
    assert await history(alone, by(alone, "user:zoe")) == []
    async with database(mongod, alone) as found:  # a word that reaches her, planted beside requirements that do not
        await found["approvals"].update_one({"_id": held.approval_id}, {"$push": {"addressees": "i:user:zoe"}})
    assert await history(alone, by(alone, "user:zoe")) == []


async def test_filters_narrow_it(alone: Placet) -> None:
    shared, sent = await opened(alone, READERS), await opened(alone, READERS, action="send")
    await alone.review(shared, "bob", "DENY")
    bob, alice = by(alone, "user:bob"), by(alone, "user:alice")
    one, other = [shared.approval_id], [sent.approval_id]
    assert await history(alone, bob) == other + one
    assert await history(alone, bob, state=ApprovalState.APPROVAL_STATE_DENIED) == one
    assert await history(alone, bob, state=ApprovalState.APPROVAL_STATE_PENDING) == other
    assert await history(alone, bob, action="send") == other
    assert await history(alone, bob, action="sen") == []
    assert await history(alone, bob, resource_type=shared.request.resource.type) == other + one
    assert await history(alone, bob, resource_type="x") == []
    assert await history(alone, bob, caller="agent:report-bot") == other + one
    assert await history(alone, bob, caller="agent:other") == []
    assert await history(alone, bob, asked_in_my_name=True) == []
    assert await history(alone, alice, asked_in_my_name=True) == other + one


async def test_state_is_that_by_the_clock(alone: Placet, mongod: MongodProcess) -> None:
    held = await opened(alone, READERS)
    await set_back(mongod, alone, held.approval_id, "created_at", hours=100)
    bob = by(alone, "user:bob")
    assert await history(alone, bob, state=ApprovalState.APPROVAL_STATE_EXPIRED) == [held.approval_id]
    assert await history(alone, bob, state=ApprovalState.APPROVAL_STATE_PENDING) == []


async def test_earlier_approvals_of_the_same_request_are_named_where_they_may_be_seen(alone: Placet) -> None:
    request = asking("share", context={"run": uuid4().hex, "asked": READERS})
    first = (await alone.authorize(request)).approval
    await cancel(alone, first)
    second = (await alone.authorize(request)).approval
    await cancel(alone, second)
    third = (await alone.authorize(request)).approval
    await opened(alone, READERS)
    for who in ("user:bob", "user:alice"):
        found = await seen(alone, third, by(alone, who))
        assert [*found.approval.earlier] == [second.approval_id, first.approval_id]
    assert [*(await seen(alone, first, by(alone, "user:bob"))).approval.earlier] == []


async def test_earlier_approval_that_asked_others_is_not_named(alone: Placet, mongod: MongodProcess) -> None:
    request = asking("share", context={"run": uuid4().hex, "asked": READERS})
    first = (await alone.authorize(request)).approval
    await cancel(alone, first)
    second = (await alone.authorize(request)).approval
    async with database(mongod, alone) as found:
        change = {"$set": {"requirements.0.groups": ["others"]}}
        await found["approvals"].update_one({"_id": first.approval_id}, change)
    assert [*(await seen(alone, second, by(alone, "user:bob"))).approval.earlier] == []
    assert [*(await seen(alone, second, by(alone, "user:alice"))).approval.earlier] == [first.approval_id]
