"""A recorded decision is read strictly, and compared as what the policy said."""

import orjson
import pytest

from pdp.audit.record import Entry
from pdp.decision import Effect, Reason, Verdict
from pdp.lineage.view import View
from pdp.opa.replay import NotReplayable, Recorded
from pdp.opa.sharing import OFF
from pdp.workflow.answer import Ask, answer_without_step
from pdp.workflow.lineage_views import OFF as NOTHING
from tests.known import view
from tests.parts import asking
from tests.pdp.specimens import BOT, REQUEST

ONE, OTHER = Reason("one", "because"), Reason("other", "because")


def entry(effect: Effect = Effect.DENY, reason: Reason = ONE, known: View = NOTHING) -> Entry:
    ask = Ask(asking(), BOT, REQUEST, 7, lineage=known)
    [record] = answer_without_step(ask, Verdict(effect, (reason,), "r1")).entries
    return record


def recorded(record: Entry) -> Recorded:
    return Recorded.of(record.record, record.salt, record.payload)


def test_the_policy_gets_what_it_got() -> None:
    known = view({"a": ["pii"]})
    found = recorded(entry(known=known))
    asked = orjson.loads(found.input)
    assert (asked["now"], asked["caller"]["identity"], asked["subject"]["id"]) == (7, BOT.identity, "report-bot")
    assert found.lineage == known.json
    assert recorded(entry()).lineage == OFF


@pytest.mark.parametrize(
    ("before", "again", "same"),
    [
        ((Effect.DENY, ONE), (Effect.DENY, ONE), True),
        ((Effect.DENY, ONE), (Effect.DENY, OTHER), False),
        ((Effect.DENY, ONE), (Effect.ALLOW, ONE), False),
        ((Effect.ALLOW, ONE), (Effect.NEEDS_APPROVAL, ONE), False),
        ((Effect.DENY, ONE), (Effect.NEEDS_APPROVAL, ONE), False),
        ((Effect.DENY, Reason("pdp.lineage_grew", "x")), (Effect.NEEDS_APPROVAL, ONE), True),
        ((Effect.DENY, Reason("pdp.approval_voided", "x")), (Effect.NEEDS_APPROVAL, ONE), True),
        ((Effect.DENY, Reason("pdp.approval_voided", "x")), (Effect.ALLOW, ONE), False),
    ],
)
def test_another_answer_is_told(before: tuple[Effect, Reason], again: tuple[Effect, Reason], *, same: bool) -> None:
    found = recorded(entry(*before))
    assert (not found.differs(Verdict(again[0], (again[1],), "r1"))) is same


def test_what_was_changed_or_erased_is_not_decided() -> None:
    whole = entry()
    for payload in (b"", whole.payload.replace(b"report-bot", b"report-man")):
        with pytest.raises(NotReplayable):
            Recorded.of(whole.record, whole.salt, payload)
