"""A decision as AuthZEN's clients get it: `decision` is true for an allow that stands, and for nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pdp.approval import ApprovalAt
from pdp.authzen_question import CUSTOM, obligation_type
from pdp.bad_fields import cut
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.http.problem import sentence, status, violations
from pdp.workflow.answer import Decided, Failed

VENDOR = "placet"
"""Who knows what a `custom` obligation of ours means."""
REASONS = {Effect.ALLOW: "allowed", Effect.DENY: "denied", Effect.NEEDS_APPROVAL: "approval_required"}
"""What `context.reason` says, for machines."""


def answered(decided: Decided, ignored: Sequence[str] = (), told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The answer to a question. `ignored` are the members of the envelope that nobody here knows.

    `told` are members of its context that say how to lift a denial.
    """
    answer, verdict = decided.answer, decided.answer.verdict
    context: dict[str, Any] = {
        "decision_id": answer.decision_id,
        "evaluation_id": answer.decision_id,
        "policy_revision": verdict.revision,
        "request_digest": decided.ask.canonical.digest,
        "reason": "obligation_unsupported" if answer.withheld else REASONS[decided.effect],
        **said(verdict),
    }
    context |= _present(
        grant=decided.grant,
        approval=_approval(answer.approval) if answer.approval else None,
        on_behalf_of=decided.ask.canonical.members["on_behalf_of"],
        dry_run=decided.ask.request.dry_run,
        withheld=answer.withheld,
        ignored=list(ignored),
    )
    return {"decision": decided.answered is Effect.ALLOW, "context": context | dict(told or {})}


def said(verdict: Verdict) -> dict[str, Any]:
    """What an answer has in the policy's own words."""
    more = _present(obligations=_obligations(verdict.obligations), fired=_fired(verdict))
    return {"reasons": _reasons(verdict.reasons), **more}


def failed(outcome: Failed) -> dict[str, Any]:
    """The error of one question among many, in its place."""
    error = outcome.error
    told: dict[str, Any] = {"status": status(error).value, "message": cut(sentence(error)), "reason": error.reason}
    if error.violations:
        told["violations"] = violations(error)
    return {"decision": False, "context": {"error": told}}


def _obligations(duties: Sequence[Obligation]) -> list[dict[str, Any]]:
    """The obligations as their profile has them; ids are unique in the answer, although two may come of one rule."""
    rules = [duty.rule for duty in duties]
    told = []
    for index, duty in enumerate(duties):
        kind, properties = obligation_type(duty.type), dict(duty.properties)
        if kind == CUSTOM:
            properties |= {"vendor": VENDOR, "obligation": duty.type}
        name = duty.rule if rules.count(duty.rule) == 1 else f"{duty.rule}/{index}"
        told.append({"id": name, "type": kind, "properties": properties})
    return told


def _reasons(values: Sequence[Reason]) -> list[dict[str, str]]:
    return [{"rule": value.rule, "reason": value.reason} for value in values]


def _approval(found: ApprovalAt) -> dict[str, str]:
    """Which approval the answer is about, and how it stands; no names."""
    approval = found.approval
    until = approval.approved_at + timedelta(milliseconds=approval.valid_for_ms) if approval.approved_at else None
    told = {"id": approval.id, "state": found.state.lower()}
    return told | ({"approved_until": instant(until)} if until else {})


def instant(at: datetime) -> str:
    """A time as JSON has it (RFC 3339)."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fired(verdict: Verdict) -> dict[str, Any] | None:
    return None if verdict.fired is None else {name: _reasons(values) for name, values in verdict.fired.items()}


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
