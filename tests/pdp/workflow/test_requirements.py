"""Whom a policy asks for, and whom the server takes: at the review, at the use, and whether there is anybody at all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, ListApprovalsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.parts import exporting, log
from tests.pdp.people import PEOPLE, Asked, Needs, needs
from tests.pdp.wire import refused

PENDING, APPROVED, VOIDED = (
    getattr(ApprovalState, f"APPROVAL_STATE_{name}") for name in ("PENDING", "APPROVED", "VOIDED")
)
ALLOW, DENY, NEEDS = Effect.EFFECT_ALLOW, Effect.EFFECT_DENY, Effect.EFFECT_NEEDS_APPROVAL
FINANCE = {"department": "finance", "level": 3}


@pytest.fixture(scope="module")
async def policy(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Needs]:
    async with needs(state, mongod, tmp_path_factory.mktemp("policy")) as running:
        yield running


def of(**reviewers: Any) -> dict[str, Any]:
    return {"reviewers": reviewers}


def two(**reviewers: Any) -> dict[str, Any]:
    return {**of(**reviewers), "count": 2}


def said(answer: AuthorizeResponse) -> tuple[int, list[str]]:
    return answer.effect, [reason.rule for reason in answer.reasons]


def moved(group: str, *members: str) -> dict[str, Any]:
    return {**PEOPLE["groups"], group: list(members)}  # type: ignore[dict-item]


async def opened(policy: Needs, asked: Asked) -> tuple[AuthorizeRequest, Approval]:
    await policy.put(asked)
    request = exporting()
    answer = await policy.server.authorize(request)
    assert answer.effect == NEEDS, answer.reasons
    return request, answer.approval


async def test_reviewer_with_all_claims_may_review_and_no_other(policy: Needs) -> None:
    request, approval = await opened(policy, {"pay": of(claims=FINANCE)})
    assert dict(approval.requirements[0].claims) == FINANCE
    for identity, claims in (
        ("user:frank", {}),
        ("user:frank", {"department": "finance"}),
        ("user:frank", {"department": "Finance", "level": 3}),
        ("user:frank", {"department": "finance", "level": "3"}),
        ("user:frank", {"department": ["hr"], "level": 3}),
        ("user:frank", {"department": {"finance": True}, "level": 3}),
        ("user:frank", {"groups": ["finance"]}),
        ("user:alice", {}),
    ):
        why = await refused(policy.review(approval, identity, **claims))
        assert why.reason == ("REVIEWER_IS_REQUESTER" if identity == "user:alice" else "APPROVAL_NOT_FOUND")
    assert (await refused(policy.review(approval, "user:alice", **FINANCE))).reason == "REVIEWER_IS_REQUESTER"
    reviewed = await policy.review(approval, "user:frank", department=["hr", "finance"], level=3)
    assert reviewed.state == APPROVED
    assert (await policy.again(request, approval)).effect == ALLOW
    ((_, recorded),) = await log_of(policy, approval, "approval.reviewed")
    assert recorded["claims"] == {"department": ["hr", "finance"], "level": 3}


async def test_claims_of_the_review_are_asked_again_at_the_use(policy: Needs) -> None:
    for level, effect in ((3, ALLOW), (4, DENY)):
        request, approval = await opened(policy, {"pay": of(claims=FINANCE)})
        await policy.review(approval, "user:frank", **FINANCE)
        await policy.put({"pay": of(claims={"department": "finance", "level": level})})
        assert (await policy.again(request, approval)).effect == effect


async def test_one_review_counts_in_every_requirement_that_it_fits(policy: Needs) -> None:
    asked = {"a": two(groups=["stewards"]), "b": of(claims=FINANCE), "c": of(identities=["user:bob", "user:dave"])}
    request, approval = await opened(policy, asked)
    once = await policy.review(approval, "user:bob", **FINANCE)
    assert [requirement.approved for requirement in once.requirements] == [1, 1, 1]
    assert once.state == PENDING
    assert list(once.reviews[0].rules) == ["a", "b", "c"]
    assert (await policy.review(once, "user:carol")).state == APPROVED
    assert (await policy.again(request, approval)).effect == ALLOW


async def test_person_counts_once_however_they_come(policy: Needs) -> None:
    _, approval = await opened(policy, {"a": two(groups=["stewards", "board", "both"])})
    once = await policy.review(approval, "user:bob")
    assert (once.state, once.requirements[0].approved) == (PENDING, 1)
    for identity in ("user:bob", "chat:U1"):
        assert (await refused(policy.review(once, identity))).reason == "ALREADY_REVIEWED"
    assert (await policy.review(once, "user:dave")).state == APPROVED


async def test_shortest_times_of_several_requirements_count(policy: Needs) -> None:
    asked = {
        "a": {**of(identities=["user:bob"]), "pending_for": "2h", "valid_for": "1m"},
        "b": {**of(identities=["user:bob"]), "pending_for": "1h", "valid_for": "2m"},
    }
    _, approval = await opened(policy, asked)
    assert approval.expires_at.seconds - approval.created_at.seconds == 3600
    approved = await policy.review(approval, "user:bob")
    left = approved.expires_at.seconds - approved.reviews[0].reviewed_at.seconds
    assert 58 <= left <= 62


UNREACHABLE = {
    "more than the group has": ({**of(groups=["stewards"]), "count": 3}, 3, 2),
    "nobody in the group": (of(groups=["nobody"]), 1, 0),
    "the requester's owner is one of two": (two(groups=["owners"]), 2, 1),
    "one person under two names": (two(groups=["both"]), 2, 1),
    "a program does not review": (two(groups=["machines"]), 2, 1),
    "only the requester's owner": (of(identities=["user:alice"]), 1, 0),
    "an identity that nobody vouches for": (of(identities=["teams:bob"]), 1, 0),
    "in two groups, and once": (two(groups=["both"], identities=["user:bob"]), 2, 1),
}


@pytest.mark.parametrize("case", UNREACHABLE)
async def test_requirement_that_nobody_can_meet_is_a_deny_at_once(policy: Needs, case: str) -> None:
    asked, wanted, there = UNREACHABLE[case]
    answer = await policy.ask({"good": of(groups=["stewards"]), "lonely": asked})
    assert said(answer) == (DENY, ["pdp.unreachable_requirement"])
    assert answer.reasons[0].reason.startswith(f"lonely asks for {wanted} people to review")
    assert f"names {there} may" in answer.reasons[0].reason
    assert not answer.HasField("approval")
    (record, _) = (await log(policy.server, "decision"))[-1]
    assert (record["effect"], record["rules"]) == ("DENY", ["pdp.unreachable_requirement"])
    assert (await policy.server.authorize(exporting(dryRun=True))).effect == DENY


async def test_requirement_that_is_just_met_or_open_is_asked(policy: Needs) -> None:
    for asked in (
        two(groups=["stewards"]),
        two(groups=["both"], identities=["user:dave"]),
        two(groups=["nobody"], claims=FINANCE),
        {**of(claims=FINANCE), "count": 1000},
    ):
        assert (await policy.ask({"a": asked})).effect == NEEDS


async def test_pending_approval_that_lost_its_people_says_so_and_goes_on_when_they_are_back(policy: Needs) -> None:
    asked = {"a": two(groups=["stewards"])}
    request, approval = await opened(policy, asked)
    await policy.put(asked, groups=moved("stewards", "user:bob"))
    answer = await policy.again(request, approval)
    assert said(answer) == (DENY, ["pdp.unreachable_requirement"])
    assert (answer.approval.approval_id, answer.approval.state) == (approval.approval_id, PENDING)
    await policy.put(asked)
    assert (await policy.again(request, approval)).effect == NEEDS


async def test_approval_names_whom_it_still_waits_for(policy: Needs) -> None:
    asked = {
        "a": two(groups=["stewards", "owners", "machines"]),
        "b": of(claims=FINANCE),
        "c": of(groups=["board", "both"]),
    }
    _, approval = await opened(policy, asked)
    before = (await policy.seen(approval, "user:bob")).eligible
    assert [(one.rule, list(one.identities), one.open) for one in before] == [
        ("a", ["user:bob", "user:carol"], False),
        ("b", [], True),
        ("c", ["chat:U1", "user:bob", "user:dave"], False),
    ]
    await policy.review(approval, "user:bob")
    after = (await policy.seen(approval, "user:carol")).eligible
    assert [list(one.identities) for one in after] == [["user:carol"], [], ["user:dave"]]
    await policy.review(approval, "user:carol", verdict=2)
    assert not (await policy.seen(approval, "user:carol")).eligible


async def test_owner_of_today_is_no_longer_waited_for(policy: Needs) -> None:
    asked = {"a": of(groups=["stewards"])}
    _, approval = await opened(policy, asked)
    await policy.put(asked, identities={"agent:report-bot": {"owners": ["user:alice", "user:bob"]}})
    (eligible,) = (await policy.seen(approval, "user:carol")).eligible
    assert list(eligible.identities) == ["user:carol"]
    assert (await refused(policy.review(approval, "user:bob"))).reason == "REVIEWER_IS_REQUESTER"


async def test_reviewer_who_lost_the_role_does_not_count_at_the_use(policy: Needs) -> None:
    asked = {"a": two(groups=["stewards"])}
    request, approval = await opened(policy, asked)
    await policy.review(approval, "user:bob")
    await policy.put(asked, groups=moved("stewards", "user:carol", "user:dave"))
    assert (await refused(policy.review(approval, "user:bob"))).reason == "APPROVAL_NOT_FOUND"
    assert (await policy.review(approval, "user:carol")).state == APPROVED
    answer = await policy.again(request, approval)
    assert said(answer) == (DENY, ["pdp.approval_voided"])
    assert answer.approval.state == VOIDED


async def test_review_is_of_the_policy_of_its_moment_and_recorded_with_its_revision(policy: Needs) -> None:
    asked = {"a": two(groups=["stewards"])}
    _, approval = await opened(policy, asked)
    await policy.review(approval, "user:bob")
    await policy.put(asked, groups=moved("stewards", "user:bob", "user:erin"))
    assert (await policy.review(approval, "user:erin")).state == APPROVED
    reviews = [record for record, _ in await log_of(policy, approval, "approval.reviewed")]
    assert reviews[0]["policy_revision"] == approval.policy_revision != reviews[1]["policy_revision"]


@pytest.mark.parametrize(
    ("asked", "changes", "expected"),
    [
        ({"a": of(groups=["stewards"])}, {}, (ALLOW, ["a"])),
        ({"a": of(groups=["stewards", "board"])}, {}, (ALLOW, ["a"])),
        ({"a": two(groups=["stewards"])}, {}, (DENY, ["pdp.approval_voided"])),
        ({"a": of(groups=["stewards"]), "b": of(groups=["board"])}, {}, (DENY, ["pdp.approval_voided"])),
        ({"a": of(claims=FINANCE)}, {}, (DENY, ["pdp.approval_voided"])),
        ({"a": {**of(groups=["stewards"]), "count": 9}}, {}, (DENY, ["pdp.approval_voided"])),
        ({"a": of(groups=["stewards"])}, {"closed": True}, (DENY, ["closed"])),
        ({}, {}, (DENY, ["pdp.no_rule"])),
    ],
)
async def test_policy_that_changed_after_the_approval_has_the_last_word(
    policy: Needs, asked: Asked, changes: dict[str, Any], expected: tuple[int, list[str]]
) -> None:
    request, approval = await opened(policy, {"a": of(groups=["stewards"])})
    assert (await policy.review(approval, "user:carol")).state == APPROVED
    await policy.put(asked, **changes)
    assert said(await policy.again(request, approval)) == expected


async def test_policy_that_changed_while_pending_has_the_last_word(policy: Needs) -> None:
    request, approval = await opened(policy, {"a": of(groups=["stewards"])})
    await policy.put({"a": two(groups=["stewards"])})
    assert (await policy.again(request, approval)).approval.approval_id == approval.approval_id
    assert (await policy.review(approval, "user:carol")).state == APPROVED
    assert said(await policy.again(request, approval)) == (DENY, ["pdp.approval_voided"])
    by = policy.server.metadata("report-bot")
    listed = await policy.server.approvals.ListApprovals(ListApprovalsRequest(page_size=1), metadata=by)
    assert listed.approvals[0].approval_id == approval.approval_id


async def log_of(policy: Needs, approval: Approval, kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    records = await log(policy.server, kind)
    return [(record, held) for record, held in records if record["approval_id"] == approval.approval_id]
