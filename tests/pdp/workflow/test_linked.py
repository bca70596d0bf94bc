"""Whoever is behind a request through a chat account does not review it, however they come."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from pdp.workflow.links import Links
from tests.parts import exporting
from tests.pdp.accounts import linking
from tests.pdp.people import Needs, needs
from tests.pdp.wire import refused

ACCOUNT = "slack:T1/U7"
ASKED = {"a": {"reviewers": {"identities": ["user:alice", "user:alice2", "user:bob"]}}}
PEOPLE = {"agent:dev": {"owners": ["user:dev"]}, "user:alice2": {"same_as": ["user:alice", "user:aa"]}}


@pytest.fixture(scope="module")
async def policy(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Needs]:
    async with needs(state, mongod, tmp_path_factory.mktemp("policy")) as running:
        await running.put(ASKED, identities=PEOPLE)
        yield running


@pytest.fixture
async def links(policy: Needs, mongod: MongodProcess) -> AsyncIterator[Links]:
    """Links of accounts that were never linked before."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongod.uri)
    for name in ("links", "links_ended"):
        await client[policy.server.database][name].delete_many({})
    await client.close()
    async with linking(policy.server, mongod) as found:
        yield found


def asking(**members: Any) -> AuthorizeRequest:
    """A program asks in the name of whoever has this account."""
    named = {"subject": {"type": "slack", "id": "T1/U7"}, "onBehalfOf": [], **members}
    return exporting(**named)


async def opened(policy: Needs, request: AuthorizeRequest) -> Approval:
    answer = await policy.server.authorize(request, by="dev")
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL, answer.reasons
    return answer.approval


@pytest.mark.parametrize("when", ["before", "after"])
async def test_person_of_a_link_does_not_review_through_any_account(policy: Needs, links: Links, when: str) -> None:
    if when == "before":
        await links.add("user:alice", ACCOUNT)
    request = asking()
    approval = await opened(policy, request)
    if when == "after":
        await links.add("user:alice", ACCOUNT)
    for identity in ("user:alice", "user:alice2"):
        assert (await refused(policy.review(approval, identity))).reason == "REVIEWER_IS_REQUESTER"
    await links.remove("user:alice", ACCOUNT)
    if when == "before":  # who was behind it when it was opened stays behind it
        assert (await refused(policy.review(approval, "user:alice2"))).reason == "REVIEWER_IS_REQUESTER"
    assert (await policy.review(approval, "user:bob")).state == ApprovalState.APPROVAL_STATE_APPROVED
    assert (await policy.again(request, approval, by="dev")).effect == Effect.EFFECT_ALLOW


async def test_link_that_ended_before_the_request_still_bars(policy: Needs, links: Links) -> None:
    await links.add("user:alice", ACCOUNT)
    await links.remove("user:alice", ACCOUNT)
    approval = await opened(policy, asking())
    for identity in ("user:alice", "user:alice2"):
        assert (await refused(policy.review(approval, identity))).reason == "REVIEWER_IS_REQUESTER"
    await links.add("user:carol", ACCOUNT)
    another = await opened(policy, asking(context={"n": 2}))
    for identity in ("user:alice", "user:carol"):
        assert (await refused(policy.review(another, identity))).reason == "REVIEWER_IS_REQUESTER"


async def test_yes_of_the_person_does_not_count_at_the_use_once_the_account_is_linked(
    policy: Needs, links: Links
) -> None:
    request = asking()
    approval = await policy.review(await opened(policy, request), "user:alice2")
    assert approval.state == ApprovalState.APPROVAL_STATE_APPROVED
    await links.add("user:alice", ACCOUNT)
    answer = await policy.again(request, approval, by="dev")
    await links.remove("user:alice", ACCOUNT)
    assert answer.effect == Effect.EFFECT_DENY


async def test_account_in_the_chain_counts_like_the_subject(policy: Needs, links: Links) -> None:
    await links.add("user:alice", ACCOUNT)
    me = {"type": "agent", "id": "dev"}
    approval = await opened(policy, asking(subject=me, onBehalfOf=[{"type": "slack", "id": "T1/U7"}]))
    await links.remove("user:alice", ACCOUNT)
    assert (await refused(policy.review(approval, "user:alice2"))).reason == "REVIEWER_IS_REQUESTER"


async def test_too_few_are_left_where_a_link_bars_one_of_them(policy: Needs, links: Links) -> None:
    await links.add("user:bob", ACCOUNT)
    await policy.put({"a": {**ASKED["a"], "count": 2}}, identities=PEOPLE)
    answer = await policy.server.authorize(asking(), by="dev")
    await policy.put(ASKED, identities=PEOPLE)
    await links.remove("user:bob", ACCOUNT)
    assert [reason.rule for reason in answer.reasons] == ["pdp.unreachable_requirement"]
