"""What a denial says beside its reasons: that people could lift it and how to ask them, or why an approval is none.

It is the access-request profile of AuthZEN, and `next_action` of ours: `request` or `none`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pdp.binding_token import SECONDS, Binder, Denial
from pdp.decision import Effect
from pdp.workflow.answer import Decided
from pdp.workflow.settlement import UNKNOWN_RULE

REQUEST, NONE = "request", "none"
"""What a client does next: it asks people, or it gives up."""
_OVER = ("approval_expired", REQUEST)
REFUSALS: Mapping[str, tuple[str, str]] = {
    "pdp.approval_expired": _OVER,
    "pdp.approval_revoked": _OVER,
    "pdp.approval_cancelled": _OVER,
    "pdp.approval_voided": _OVER,
    "pdp.lineage_grew": _OVER,
    "pdp.approval_consumed": _OVER,
    "pdp.approval_denied": ("denied", NONE),
    "pdp.approval_mismatch": ("out_of_scope", REQUEST),
    UNKNOWN_RULE: ("approval_unverifiable", NONE),
}
"""The reason and the next action for each rule of ours that refuses an approval."""
_REQUESTABLE = frozenset(rule for rule, (_, action) in REFUSALS.items() if action == REQUEST)
_DENIED = ("policy_denied", NONE)
"""The same where the policy denies and no approval could help."""
_NANOSECONDS = 1_000_000_000


def is_requestable(effect: Effect, rules: Collection[str]) -> bool:
    """Whether an evaluation that came out like this says how people can lift it."""
    return effect is Effect.NEEDS_APPROVAL or (effect is Effect.DENY and bool(_REQUESTABLE & frozenset(rules)))


class Liftable:
    """Says of denials how they can be lifted. `endpoint` is where access requests are submitted."""

    def __init__(self, binder: Binder, endpoint: str) -> None:
        self._binder, self.endpoint = binder, endpoint

    def told(self, decided: Decided) -> dict[str, Any]:
        """The members of its context; none for an allow, and for a deny that no approval was sent for."""
        if decided.effect is Effect.NEEDS_APPROVAL:
            return {"access_request": self._access_request(decided)}
        if decided.effect is not Effect.DENY or not decided.ask.request.approval_id:
            return {}
        rules = [one.rule for one in decided.answer.verdict.reasons]
        reason, action = REFUSALS.get(rules[0], _DENIED) if rules else _DENIED
        told: dict[str, Any] = {"reason": reason, "next_action": action}
        return told | ({"access_request": self._access_request(decided)} if action == REQUEST else {})

    def _access_request(self, decided: Decided) -> dict[str, Any]:
        ask, verdict = decided.ask, decided.answer.verdict
        denial = Denial(
            evaluation_id=decided.answer.decision_id,
            digest=ask.canonical.digest,
            context_members=tuple(ask.canonical.members["context"]),
            policy_revision=verdict.revision,
            ends=ask.now_ns // _NANOSECONDS + SECONDS,
        )
        return {
            "endpoint": self.endpoint,
            "expires_at": denial.expires_at,
            "template": ",".join(dict.fromkeys(_rules(decided))),
            "display": {"title": "Approval required", "description": "; ".join(one.reason for one in verdict.reasons)},
            "binding_token": self._binder.token(denial, ask.caller.identity),
        }


def _rules(decided: Decided) -> list[str]:
    """The rules that ask for people; of an approval that does not count, those that asked then."""
    if decided.effect is Effect.DENY and decided.answer.approval:
        return [requirement.rule for requirement in decided.answer.approval.approval.requirements]
    return [one.rule for one in decided.answer.verdict.reasons]
