"""What an approval in each of its states means to each kind of request that names it, and to the same unnamed."""

from dataclasses import dataclass

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, log
from tests.pdp.steps import brought_to, erin, now, state_of, use, verdict

SENT_BACK = "sent back"
RULES = {
    "PENDING": "",
    "APPROVED": "",
    "DENIED": "pdp.approval_denied",
    SENT_BACK: "pdp.approval_denied",
    "EXPIRED": "pdp.approval_expired",
    "CONSUMED": "pdp.approval_consumed",
    "VOIDED": "pdp.approval_voided",
    "CANCELLED": "pdp.approval_cancelled",
    "REVOKED": "pdp.approval_revoked",
}
"""For each state the rule of the deny that its use gets; none where it is no deny."""


@dataclass(frozen=True)
class Case:
    """An approval in its state, and the request that opened it."""

    server: Placet
    state: str
    request: AuthorizeRequest
    approval: Approval

    async def unchanged(self) -> bool:
        then = state_of(await now(self.server, self.approval))
        return then == ("DENIED" if self.state == SENT_BACK else self.state)

    @property
    def effect(self) -> Effect:
        if self.state == "PENDING":
            return Effect.EFFECT_NEEDS_APPROVAL
        return Effect.EFFECT_ALLOW if self.state == "APPROVED" else Effect.EFFECT_DENY


def rules(answer: AuthorizeResponse) -> list[str]:
    return [reason.rule for reason in answer.reasons]


@pytest.fixture(params=RULES)
async def case(request: pytest.FixtureRequest, server: Placet, mongod: MongodProcess) -> Case:
    if request.param != SENT_BACK:
        return Case(server, request.param, *await brought_to(server, mongod, request.param))
    asked, approval = await brought_to(server, mongod, "PENDING")
    await verdict(server, approval, "CHANGES_REQUESTED", erin(server))
    return Case(server, SENT_BACK, asked, approval)


async def test_policys_own_word_on_another_question_wins_and_uses_nothing(case: Case) -> None:
    for action, effect in (("read", Effect.EFFECT_ALLOW), ("drop", Effect.EFFECT_DENY)):
        answer = await use(case.server, asking(action), case.approval)
        assert answer.effect == effect
        assert not answer.HasField("approval")
        assert not answer.grant
    assert await case.unchanged()


async def test_another_request_is_a_mismatch_whatever_the_state(case: Case) -> None:
    answer = await use(case.server, exporting(), case.approval)
    assert (answer.effect, rules(answer)) == (Effect.EFFECT_DENY, ["pdp.approval_mismatch"])
    assert answer.approval.approval_id == case.approval.approval_id
    assert await case.unchanged()


async def test_dry_run_says_what_would_be_and_changes_nothing(case: Case) -> None:
    dry = AuthorizeRequest()
    dry.CopyFrom(case.request)
    dry.dry_run = True
    answer = await use(case.server, dry, case.approval)
    assert answer.effect == case.effect
    assert not answer.grant
    assert answer.dry_run
    assert await case.unchanged()


async def test_same_request_gets_what_the_state_says(case: Case) -> None:
    answer = await use(case.server, case.request, case.approval)
    assert answer.effect == case.effect
    assert answer.approval.approval_id == case.approval.approval_id
    assert bool(answer.grant) == (case.state == "APPROVED")
    if RULES[case.state]:
        assert rules(answer) == [RULES[case.state]]
        assert await case.unchanged()
    if case.state == "APPROVED":
        again = await use(case.server, case.request, case.approval)
        assert (again.effect, rules(again)) == (Effect.EFFECT_DENY, ["pdp.approval_consumed"])


async def test_same_request_that_does_not_name_it_meets_it_while_it_waits_or_was_just_denied(case: Case) -> None:
    answer = await case.server.authorize(case.request)
    is_denied = case.state in ("DENIED", SENT_BACK)
    assert answer.effect == (Effect.EFFECT_DENY if is_denied else Effect.EFFECT_NEEDS_APPROVAL)
    assert rules(answer) == ["pdp.recently_denied"] or not is_denied
    is_same = answer.approval.approval_id == case.approval.approval_id
    assert is_same == (is_denied or case.state == "PENDING")
    assert await case.unchanged()


async def test_every_answer_is_one_decision_in_the_log(case: Case) -> None:
    answers = [
        await use(case.server, case.request, case.approval),
        await use(case.server, exporting(), case.approval),
        await case.server.authorize(case.request),
    ]
    recorded = [record["id"] for record, _ in await log(case.server, "decision")]
    for answer in answers:
        assert recorded.count(f"rec_{answer.decision_id[4:]}") >= 1
