"""Many at once: one use, one opening, every review counted, and a policy that turns while approvals are used."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.audit.record import Kind
from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.v1 import approval_pb2, info_pb2, review_pb2
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests import tokens
from tests.faults import Ledger, eventually, verified_log
from tests.known import UNSEEN
from tests.parts import Placet, asking, exporting, insisted, placet, refusal

RACERS = 32


@pytest.fixture(scope="module")
async def pair(state: Path, mongod: MongodProcess) -> AsyncIterator[tuple[Placet, Placet]]:
    """Two servers on one database, as two processes of a deployment are."""
    async with placet(state, mongod.uri) as one, placet(state, mongod.uri, database=one.database) as other:
        yield one, other


async def test_of_32_racing_uses_exactly_one_is_allowed(pair: tuple[Placet, Placet], rounds: int) -> None:
    ledger = Ledger()
    for _ in range(3 * rounds):
        request = exporting()
        approval = await pair[0].approved(request)
        uses = [_again(request, approval, uuid4().hex) for _ in range(RACERS)]
        replies = await asyncio.gather(*(ledger.ask(pair[at % 2], use) for at, use in enumerate(uses)))
        answers = [reply.answer for reply in replies if reply.answer]
        assert len(answers) == RACERS
        (allowed,) = [answer for answer in answers if answer.effect == Effect.EFFECT_ALLOW]
        assert {answer.reasons[0].rule for answer in answers if answer is not allowed} == {"pdp.approval_consumed"}
        (await verified_log(pair[1])).used_once(allowed)
    (await verified_log(pair[0])).accounts_for(ledger)


async def test_32_repetitions_of_one_use_get_one_decision_and_one_grant(pair: tuple[Placet, Placet]) -> None:
    request = exporting(requestId=uuid4().hex)
    await pair[0].approved(request)
    answers = await asyncio.gather(*(pair[at % 2].authorize(request) for at in range(RACERS)))
    assert {answer.effect for answer in answers} == {Effect.EFFECT_ALLOW}
    assert len({(answer.decision_id, answer.grant) for answer in answers}) == 1
    (await verified_log(pair[0])).used_once(answers[0])


async def test_one_request_id_on_two_approvals_uses_one_of_them(pair: tuple[Placet, Placet]) -> None:
    request, shared = exporting(), uuid4().hex
    approvals = [await pair[0].approved(request), await pair[0].approved(request)]
    uses = [_again(request, approvals[at % 2], shared) for at in range(RACERS)]
    for use in uses:
        use.attempt_id = shared
    answers = await asyncio.gather(*(pair[at % 2].authorize(use) for at, use in enumerate(uses)))
    assert {answer.effect for answer in answers} == {Effect.EFFECT_ALLOW}
    assert len({(answer.decision_id, answer.grant) for answer in answers}) == 1
    states = [await _state(pair[0], approval) for approval in approvals]
    assert sorted(states) == [ApprovalState.APPROVAL_STATE_APPROVED, ApprovalState.APPROVAL_STATE_CONSUMED]
    (await verified_log(pair[0])).used_once(answers[0])


@pytest.mark.parametrize("with_id", [False, True])
async def test_32_racing_openings_make_one_approval(pair: tuple[Placet, Placet], rounds: int, *, with_id: bool) -> None:
    for _ in range(3 * rounds):
        request = exporting(**({"requestId": uuid4().hex} if with_id else {}))
        answers = await asyncio.gather(*(pair[at % 2].authorize(request) for at in range(RACERS)))
        assert {answer.effect for answer in answers} == {Effect.EFFECT_NEEDS_APPROVAL}
        (approval_id,) = {answer.approval.approval_id for answer in answers}
        log = await verified_log(pair[0])
        assert len(log.of(Kind.APPROVAL_CREATED, approval_id)) == 1


async def test_64_reviewers_at_once_all_count_and_change_the_state_once(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    people = [f"user:p{number}" for number in range(64)]
    async with placet(state, mongod.uri, policy=[_crowd(tmp_path, people)]) as server:
        for _ in range(max(1, rounds - 1)):  # 2,000 reviews each
            request = asking("deploy", context={"run": uuid4().hex})
            asked = await server.authorize(request)
            assert asked.approval.requirements[0].count == len(people)
            await asyncio.gather(*(_review(server, asked, person) for person in people))
            log = await verified_log(server)
            recorded = [log.payloads[one] for one in log.of(Kind.APPROVAL_REVIEWED, asked.approval.approval_id)]
            assert sorted(one["reviewer"] for one in recorded) == sorted(people)
            assert Counter(one["state"] for one in recorded) == {"PENDING": len(people) - 1, "APPROVED": 1}
            used = await server.authorize(_again(request, asked.approval))
            assert used.effect == Effect.EFFECT_ALLOW


async def test_an_approver_and_a_denier_at_once_leave_no_half_state(pair: tuple[Placet, Placet], rounds: int) -> None:
    for _ in range(3 * rounds):
        request = exporting()
        asked = await pair[0].authorize(request)
        await asyncio.gather(
            insisted(partial(pair[0].review, asked.approval, "bob")),
            insisted(partial(pair[1].review, asked.approval, "carol", "DENY")),
            return_exceptions=True,
        )
        log = await verified_log(pair[0])
        states = [log.payloads[one]["state"] for one in log.of(Kind.APPROVAL_REVIEWED, asked.approval.approval_id)]
        assert states.count("DENIED") == 1
        assert "APPROVED" not in states
        used = await pair[0].authorize(_again(request, asked.approval))
        assert used.effect == Effect.EFFECT_DENY
        assert used.reasons[0].rule == "pdp.approval_denied"


async def test_stricter_policy_voids_and_denying_policy_denies(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    folder = _reference(tmp_path)
    async with placet(state, mongod.uri, policy=[folder]) as server:
        requests = [exporting() for _ in range(12)]
        approvals = [await server.approved(request) for request in requests]
        lenient = await _revision(server)
        early = await server.authorize(_again(requests[0], approvals[0]))
        assert early.effect == Effect.EFFECT_ALLOW

        waiting = [_again(*each) for each in zip(requests[1:], approvals[1:], strict=True)]
        racing, late = waiting[:8], waiting[8:]
        uses = [asyncio.create_task(_slowly(server, use, number * 0.05)) for number, use in enumerate(racing)]
        _edit(folder, lambda data: data["requirements"]["pii"]["export"].update(count=3))
        strict = await eventually(lambda: _revision_other_than(server, lenient))
        uses += [asyncio.create_task(_slowly(server, use, 0)) for use in late]
        for answer in await asyncio.gather(*uses):
            voided = answer.effect == Effect.EFFECT_DENY
            assert answer.policy_revision == (strict if voided else lenient)
            assert voided == (answer.approval.state == ApprovalState.APPROVAL_STATE_VOIDED)
            assert bool(answer.grant) != voided

        log = await verified_log(server)
        closed = [log.payloads[one]["state"] for one in log.of(Kind.APPROVAL_CLOSED)]
        assert closed == ["VOIDED"] * sum(use.result().effect == Effect.EFFECT_DENY for use in uses)
        assert closed
        renewed = await server.authorize(requests[-1])
        assert renewed.effect == Effect.EFFECT_NEEDS_APPROVAL
        assert renewed.approval.approval_id != approvals[-1].approval_id


async def test_policy_that_turns_to_deny_wins_over_an_approval(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    folder = _reference(tmp_path)
    async with placet(state, mongod.uri, policy=[folder]) as server:
        request = exporting()
        approval = await server.approved(request)
        before = await _revision(server)
        _edit(folder, lambda data: data["destructive"].append("export"))
        await eventually(lambda: _revision_other_than(server, before))
        denied = await server.authorize(_again(request, approval))
        assert denied.effect == Effect.EFFECT_DENY
        assert denied.reasons[0].rule == "agents.destructive"
        assert await _state(server, approval) == ApprovalState.APPROVAL_STATE_APPROVED
        await verified_log(server)


async def test_a_reviewer_who_came_to_own_the_agent_no_longer_counts(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    folder = _reference(tmp_path)
    async with placet(state, mongod.uri, policy=[folder]) as server:
        request = exporting()
        approval = await server.approved(request)
        before = await _revision(server)
        _edit(folder, lambda data: data["identities"]["agent:report-bot"]["owners"].append("user:bob"))
        await eventually(lambda: _revision_other_than(server, before))
        voided = await server.authorize(_again(request, approval))
        assert voided.effect == Effect.EFFECT_DENY
        assert voided.reasons[0].rule == "pdp.approval_voided"
        await verified_log(server)


def _again(request: AuthorizeRequest, approval: approval_pb2.Approval, request_id: str = "") -> AuthorizeRequest:
    """Another attempt to use the approval."""
    used = AuthorizeRequest(approval_id=approval.approval_id, request_id=request_id)
    used.MergeFrom(request)
    used.attempt_id = uuid4().hex
    return used


async def _state(server: Placet, approval: approval_pb2.Approval) -> ApprovalState:
    request = approval_pb2.GetApprovalRequest(approval_id=approval.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))).approval.state


async def _review(server: Placet, asked: AuthorizeResponse, person: str) -> None:
    """One person's approval, as a client gives it.

    A stale view is read again. After UNAVAILABLE the review may have counted all the same; then the next one says so.
    """
    metadata = tokens.metadata(server.state, person, "reviewer")

    async def once() -> None:
        request = review_pb2.ReviewRequest(
            approval_id=asked.approval.approval_id,
            expected_digest=asked.request_digest,
            expected_version=await server.version(asked.approval, metadata),
            expected_lineage=UNSEEN,
            verdict=approval_pb2.Verdict.VERDICT_APPROVE,
        )
        await server.reviews.Review(request, metadata=metadata, timeout=10)

    try:
        await insisted(once)
    except grpc.aio.AioRpcError as error:
        assert refusal(error).reason in {"ALREADY_REVIEWED", "APPROVAL_NOT_PENDING"}  # noqa: PT017  # others raise


def _crowd(tmp_path: Path, people: list[str]) -> Path:
    folder = tmp_path / "crowd"
    folder.mkdir()
    (folder / "crowd.rego").write_text(f"""package policy

needs_approval contains {{
	"rule": "deploy",
	"reason": "everyone agrees",
	"reviewers": {{"groups": ["crowd"]}},
	"count": {len(people)},
}} if input.action.name == "deploy"
""")
    data = {"groups": {"crowd": people}, "identities": {"agent:report-bot": {"owners": ["user:alice"]}}}
    (folder / "data.json").write_text(json.dumps(data))
    return folder


def _reference(tmp_path: Path) -> Path:
    """A copy of the reference policy, to edit; the owner of `agent:dev` comes from the dev stack's own data."""
    folder = tmp_path / "policy"
    shutil.copytree(rego(), folder, ignore=shutil.ignore_patterns("*_test.rego"))
    _edit(folder, lambda data: data["identities"].pop("agent:dev"))
    return folder


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "data.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


async def _revision(server: Placet) -> str:
    info = info_pb2.GetServerInfoRequest()
    return (await server.info.GetServerInfo(info, metadata=server.metadata("alice"))).policy_revision


async def _revision_other_than(server: Placet, known: str) -> str:
    revision = await _revision(server)
    return "" if revision == known else revision


async def _slowly(server: Placet, request: AuthorizeRequest, seconds: float) -> AuthorizeResponse:
    """A use that comes somewhere before, during or after the change of policy."""
    await asyncio.sleep(seconds)
    return await server.authorize(request)
