"""What is recorded of each event: the signed part without personal data, the payload with all of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pdp import identifier
from pdp.approval import Approval, Opening, Outcome, Review, State
from pdp.audit.record import Entry, Kind, entry
from pdp.caller import Caller
from pdp.canonical import Canonical
from pdp.decision import Reason, Verdict
from pdp.errors import PdpError, PolicyInvalid


def decision(
    decision_id: str,
    caller: Caller,
    canonical: Canonical,
    verdict: Verdict,
    *,
    approval_id: str = "",
    request_id: str = "",
    justification: str = "",
    dry_run: bool = False,
) -> Entry:
    """A decision, whole: what was asked by whom, what the policy said and why."""
    details = {
        "reasons": verdict.reasons,
        "obligations": verdict.obligations,
        "requirements": verdict.requirements,
        "fired": verdict.fired,
        "request_id": request_id,
        "justification": justification,
        "dry_run": dry_run,
    }
    return entry(
        Kind.DECISION,
        _asked(caller, canonical, details),
        record_id=identifier.record_id(decision_id),
        effect=verdict.effect,
        rules=_rules(verdict.reasons),
        policy_revision=verdict.revision,
        approval_id=approval_id,
    )


def error(caller: Caller, canonical: Canonical, failure: PdpError) -> Entry:
    """A question that got no decision."""
    problem = failure.problem if isinstance(failure, PolicyInvalid) else ""
    reason = f"{failure.reason}/{problem}" if problem else failure.reason
    return entry(Kind.ERROR, _asked(caller, canonical, {"message": failure.sentence}), error=reason)


def approval_refused(approval: Approval, caller: Caller, failure: PdpError) -> Entry:
    """Somebody met an approval that cannot be trusted."""
    payload = b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps({"message": failure.sentence}))
    return entry(Kind.ERROR, payload, approval_id=approval.id, error=failure.reason)


def approval_created(opening: Opening, caller: Caller, canonical: Canonical, verdict: Verdict) -> Entry:
    """People are asked: what for, which requirements, who must not review, which sent-back approval it answers."""
    details = {
        "requirements": opening.requirements,
        "requester_principals": opening.principals,
        "supersedes": opening.supersedes,
    }
    return entry(
        Kind.APPROVAL_CREATED,
        _asked(caller, canonical, details),
        rules=_rules(verdict.reasons),
        policy_revision=opening.policy_revision,
        approval_id=opening.id,
    )


def approval_reviewed(approval: Approval, review: Review, after: State, revision: str) -> Entry:
    """One person's verdict and where it left the approval."""
    payload = {
        "reviewer": review.reviewer,
        "person": review.person,
        "groups": review.groups,
        "claims": review.claims,
        "verdict": review.verdict,
        "reason": review.reason,
        "at": review.at,
        "request_digest": approval.digest,
        "state": after,
        "suggestion": orjson.Fragment(review.suggestion or b"null"),
        "signature": review.signature,
    }
    rules = [approval.requirements[index].rule for index in review.fits]
    return entry(
        Kind.APPROVAL_REVIEWED, orjson.dumps(payload), rules=rules, policy_revision=revision, approval_id=approval.id
    )


def approval_consumed(approval: Approval, decision_id: str, request_id: str, revision: str) -> Entry:
    """The one use."""
    payload = {"decision_id": decision_id, "request_id": request_id, "request_digest": approval.digest}
    return entry(Kind.APPROVAL_CONSUMED, orjson.dumps(payload), policy_revision=revision, approval_id=approval.id)


def approval_closed(
    approval: Approval, after: State, revision: str = "", *, closed_by: str = "", reason: str = ""
) -> Entry:
    """An end other than use; `closed_by` is empty where nobody's word ended it."""
    payload = {"state": after, "request_digest": approval.digest, "closed_by": closed_by, "reason": reason}
    return entry(Kind.APPROVAL_CLOSED, orjson.dumps(payload), policy_revision=revision, approval_id=approval.id)


def outcome(approval: Approval, caller: Caller, reported: Outcome) -> Entry:
    """What the caller says became of its use."""
    decision_id = (approval.used_by or {}).get("decision_id", "")
    details = {"decision_id": decision_id, "outcome": reported}
    payload = b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps(details))
    return entry(Kind.OUTCOME, payload, approval_id=approval.id)


def masked(
    kind: Kind,
    caller: Caller,
    *,
    decision_id: str,
    revision: str,
    rules: Sequence[str],
    details: Mapping[str, Any],
    failure: str = "",
) -> Entry:
    """What was masked, unmasked or rewrapped under a decision: columns, counts and digests, no values."""
    payload = b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps({"decision_id": decision_id, **details}))
    return entry(kind, payload, rules=rules, policy_revision=revision, error=failure)


def by_caller(kind: Kind, caller: Caller) -> Entry:
    """Something a caller did to the log itself."""
    return entry(kind, b'{"caller":%b}' % caller.json)


def _asked(caller: Caller, canonical: Canonical, details: Mapping[str, Any]) -> bytes:
    present = {name: value for name, value in details.items() if value}
    return b'{"caller":%b,"request":%b,"request_digest":"%b","details":%b}' % (
        caller.json,
        canonical.json,
        canonical.digest.encode(),
        orjson.dumps(present),
    )


def _rules(reasons: Sequence[Reason]) -> list[str]:
    return sorted({reason.rule for reason in reasons})
