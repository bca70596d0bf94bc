"""What an answer may hold is known before anything is settled, and what settling finds fits into the rest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pdp.approval import ApprovalAt, State
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.errors import AnswerTooLarge, NotFound, PolicyInvalid
from pdp.process.mongod import MongodProcess
from pdp.service.answer_room import Room
from pdp.service.info import MESSAGE_BYTES
from pdp.service.slices import Slices
from pdp.turns import Turns
from pdp.v1.approval_pb2 import ListApprovalsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest, BatchAuthorizeResponse, BatchAuthorizeResult
from pdp.workflow.answer import Answer, Ask, Decided, Failed
from pdp.workflow.lineage_views import OFF
from tests.parts import asking, log, placet
from tests.pdp.specimens import BOT, REQUEST, T0, approval, review, verdict
from tests.pdp.wire import refused

LONG = """package policy

# METADATA
# title: A long reason
needs_approval contains {"rule": "ask", "reason": "TEXT", "reviewers": {"groups": ["data-stewards"]}} if {
	input.action.name == "ask"
}

# METADATA
# title: A huge reason
allow contains {"rule": "huge", "reason": text} if {
	input.action.name == "huge"
	text := concat("", ["TEXT" | some _ in numbers.range(1, 850)])
}
""".replace("TEXT", "0123456789" * 500)


def room(advice: str = "send fewer items") -> Room:
    return Room(advice, Slices(Turns(), BOT.identity))


def ask(**members: Any) -> Ask:
    return Ask(asking(**members), BOT, REQUEST, 0, lineage=OFF)


def decided(said: Verdict, **answer: Any) -> Decided:
    return Decided(ask(), Answer(said, f"dec_{3:032x}", [], **answer))


def result(one: Room, index: int, outcome: Decided | Failed) -> BatchAuthorizeResult:
    written = BatchAuthorizeResult()
    one.write_result(index, outcome, written)
    return written


def saying(characters: int, effect: Effect = Effect.ALLOW) -> Verdict:
    return replace(verdict(effect), reasons=(Reason("rule", "é" * characters),))


async def test_answers_that_policy_words_make_too_large_are_refused_whole() -> None:
    with pytest.raises(AnswerTooLarge, match="send fewer items"):
        await room().require([ask()] * 1000, [saying(2200)] * 1000)


@pytest.mark.parametrize(
    "said", [saying(1800), replace(saying(10), obligations=(Obligation("r", "d", "t", {"a": 1}),))]
)
async def test_answers_that_fit_are_answered_whole(said: Verdict) -> None:
    one, answer = room(), BatchAuthorizeResponse()
    await one.require([ask()] * 1000, [said] * 1000)
    for index in range(1000):
        one.write_result(index, decided(said), answer.results.add())
    assert all(len(result.decision.reasons) == 1 for result in answer.results)
    assert answer.ByteSize() <= MESSAGE_BYTES


async def test_details_of_approvals_that_do_not_fit_are_left_to_get_approval() -> None:
    """A thousand approvals with 40 long reviews each are 240 MiB."""
    held = approval(State.APPROVED, reviews=tuple(review(f"r{index}", reason="x" * 2000) for index in range(40)))
    said = decided(verdict(Effect.DENY), approval=ApprovalAt(held, T0))
    one, answer = room(), BatchAuthorizeResponse()
    await one.require([ask()] * 1000, [verdict(Effect.NEEDS_APPROVAL)] * 1000)
    for index in range(1000):
        one.write_result(index, said, answer.results.add())
    assert answer.ByteSize() <= MESSAGE_BYTES
    assert len(answer.results[0].decision.approval.reviews) == 40
    last = answer.results[-1].decision.approval
    assert (last.approval_id, last.state, len(last.reviews)) == (held.id, answer.results[0].decision.approval.state, 0)


async def test_an_error_and_what_an_earlier_policy_said_fit_too() -> None:
    one = room()
    errors = [PolicyInvalid("undefined", "x" * 300), NotFound("APPROVAL_NOT_FOUND", "gone")]
    await one.require([ask(), ask(), Failed(errors[1])], [saying(2_090_000), errors[0]])
    assert result(one, 1, Failed(errors[0])).error.reason == errors[0].reason
    assert result(one, 2, Failed(errors[1])).error.reason == "APPROVAL_NOT_FOUND"
    assert result(one, 0, decided(saying(2_100_000))).error.reason == "ANSWER_TOO_LARGE"


async def test_nothing_is_opened_or_recorded_for_an_answer_that_does_not_fit(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    (tmp_path / "long.rego").write_text(LONG)
    batch = BatchAuthorizeRequest(defaults=asking("ask"), items=[AuthorizeRequest()] * 1000)
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:
        by = server.metadata("report-bot")
        many = await refused(server.decisions.BatchAuthorize(batch, metadata=by, timeout=10))
        assert (many.reason, many.message.endswith("send fewer items")) == ("ANSWER_TOO_LARGE", True)
        assert (await refused(server.authorize(asking("huge"), timeout=10))).reason == "ANSWER_TOO_LARGE"
        assert not await log(server, "decision")
        assert not (await server.approvals.ListApprovals(ListApprovalsRequest(), metadata=by)).approvals
        del batch.items[20:]
        assert len((await server.decisions.BatchAuthorize(batch, metadata=by, timeout=10)).results) == 20
