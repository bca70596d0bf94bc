"""Domain values that tests begin with, each as a test changes it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import OKPKey

from pdp.approval import Approval, Opening, Review, ReviewVerdict, State
from pdp.audit.record import Kind, entry
from pdp.caller import Caller
from pdp.canonical import canonical
from pdp.decision import Effect, Reason, Verdict
from pdp.requirement import Requirement
from pdp.seal import Sealer
from tests.parts import asking

SEALER = Sealer(OKPKey.generate_key("Ed25519", auto_kid=True), "dev")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
BOT = Caller("agent:bot", "workload", frozenset(), (), b'{"identity":"agent:bot","kind":"workload","groups":[]}')
STEWARDS = Requirement("rules.stewards", "stewards look at it", ("stewards",), count=2)
REQUEST = canonical(asking(), "dev")
OPENING: dict[str, Any] = {
    "id": f"apr_{1:032x}",
    "caller": BOT.identity,
    "request": REQUEST.json,
    "digest": REQUEST.digest,
    "justification": "weekly report",
    "requirements": (STEWARDS,),
    "principals": ("agent:bot", "user:alice"),
    "decision_id": f"dec_{2:032x}",
    "policy_revision": "r1",
}


def opening(**changes: Any) -> Opening:
    """What an approval holds when it is opened."""
    return Opening(**{**OPENING, **changes})


def sealed(held: Opening, at: datetime = T0) -> Opening:
    """The same, sealed at this time."""
    timed = replace(held, sealed_at=at)
    return replace(timed, seal=SEALER.frozen(timed))


def signed(held: Approval, given: Review) -> Review:
    """The review, signed for this approval."""
    return replace(given, signature=SEALER.review(held.id, held.digest, given))


def approval(state: State = State.PENDING, **changes: Any) -> Approval:
    """An approval in this state, opened at `T0`."""
    return Approval(**{**OPENING, "version": 1, "state": state, "created_at": T0, **changes})


def review(name: str = "bob", verdict: ReviewVerdict = ReviewVerdict.APPROVE, **changes: Any) -> Review:
    """A review of a person who fits the first requirement."""
    members: dict[str, Any] = {
        "reviewer": f"user:{name}",
        "person": f"user:{name}",
        "groups": ("stewards",),
        "verdict": verdict,
        "reason": "read it",
        "at": T0,
        "fits": (0,),
        "policy_revision": "r1",
    }
    return Review(**{**members, **changes})


def verdict(effect: Effect = Effect.ALLOW, rule: str = "rules.one", **changes: Any) -> Verdict:
    """The policy's answer by one rule; where people are asked, the stewards."""
    asked = {"requirements": (STEWARDS,), "principals": OPENING["principals"]}
    members: dict[str, Any] = asked if effect is Effect.NEEDS_APPROVAL else {}
    return Verdict(effect, (Reason(rule, "because"),), "r1", **{**members, **changes})


def records(count: int = 1, size: int = 2) -> list[Any]:
    """Entries with payloads of `size` bytes."""
    return [entry(Kind.DECISION, b'"%b"' % (b"x" * (size - 2)), effect="ALLOW") for _ in range(count)]
