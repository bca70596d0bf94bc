"""What a caller is told of an allow whose obligations it cannot fulfil."""

import pytest

from pdp.canonical import canonical
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.workflow.answer import Ask, Decided, answer_without_step
from pdp.workflow.lineage_views import OFF
from tests.parts import asking, payload
from tests.pdp.specimens import BOT

REASONS = (Reason("r", "x"),)


def ask(supports: frozenset[str] | None, **members: object) -> Ask:
    request = asking(**members)
    return Ask(request, BOT, canonical(request, "dev"), 0, supports=supports, lineage=OFF)


def verdict(effect: Effect, *kinds: str) -> Verdict:
    return Verdict(effect, REASONS, "rev", tuple(Obligation("r", "x", kind) for kind in kinds))


@pytest.mark.parametrize(
    ("supports", "kinds", "withheld"),
    [
        (None, ["mask"], False),
        (set(), [], False),
        (set(), ["mask"], True),
        ({"custom"}, ["mask", "notice"], False),
        ({"mask"}, ["mask"], True),
        ({"custom"}, ["step-up"], True),
        ({"custom", "step-up"}, ["step-up", "mask"], False),
        ({"step-up"}, ["step-up", "mask"], True),
    ],
)
def test_allow_is_withheld_where_an_obligation_is_not_supported(
    supports: set[str] | None, kinds: list[str], *, withheld: bool
) -> None:
    question = ask(None if supports is None else frozenset(supports), wantGrant=True)
    decided = Decided(question, answer_without_step(question, verdict(Effect.ALLOW, *kinds)))
    assert (decided.effect, decided.answer.withheld) == (Effect.ALLOW, withheld)
    assert decided.answered is (Effect.DENY if withheld else Effect.ALLOW)
    assert decided.wants_grant is not withheld
    [record] = decided.answer.entries
    assert payload(record.record)["effect"] == "ALLOW"
    assert (b'"withheld":true' in record.payload) is withheld


@pytest.mark.parametrize("effect", [Effect.DENY, Effect.NEEDS_APPROVAL])
def test_what_is_no_allow_is_not_withheld(effect: Effect) -> None:
    question = ask(frozenset())
    assert not answer_without_step(question, verdict(effect, "mask")).withheld
