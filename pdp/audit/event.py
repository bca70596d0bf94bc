"""Makes the record of each event: the signed part has no personal data, the payload has all the details."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pdp import identifier
from pdp.approval import Approval, Opening, Outcome, Review, State, TakenBack
from pdp.audit.record import Entry, Kind, entry
from pdp.caller import Caller
from pdp.canonical import Canonical
from pdp.decision import Reason, Verdict
from pdp.errors import PdpError, PolicyInvalid

_WHERE_KNOWN = ("lineage", "account", "view_digest", "passkey")
"""Members of a review that its record has only where they are known."""
TOLD_BYTES = 8192
"""Bytes of a fact that a record holds whole: hundreds of columns with their tags. The log of lineage has them all."""


def decision(
    decision_id: str,
    caller: Caller,
    canonical: Canonical,
    verdict: Verdict,
    *,
    approval_id: str = "",
    request_id: str = "",
    attempt_id: str = "",
    justification: str = "",
    dry_run: bool = False,
    withheld: bool = False,
    lineage: bytes = b"",
    now_ns: int = 0,
) -> Entry:
    """A whole decision: who asked for what, what the policy answered and why, and whether its caller was told no.

    `lineage` is what the policy got to know of the data, in the very bytes, and `now_ns` the time that it got.
    """
    details = {
        "reasons": verdict.reasons,
        "obligations": verdict.obligations,
        "requirements": verdict.requirements,
        "fired": verdict.fired,
        "request_id": request_id,
        "attempt_id": attempt_id,
        "justification": justification,
        "dry_run": dry_run,
        "withheld": withheld,
    }
    return entry(
        Kind.DECISION,
        _asked(caller, canonical, details, lineage, now_ns),
        record_id=identifier.record_id(decision_id),
        effect=verdict.effect,
        rules=_rules(verdict.reasons),
        policy_revision=verdict.revision,
        approval_id=approval_id,
        withheld=withheld,
    )


def error(caller: Caller, canonical: Canonical, failure: PdpError, lineage: bytes = b"") -> Entry:
    """A request that ended with an error instead of a decision."""
    problem = failure.problem if isinstance(failure, PolicyInvalid) else ""
    reason = f"{failure.reason}/{problem}" if problem else failure.reason
    return entry(Kind.ERROR, _asked(caller, canonical, {"message": failure.sentence}, lineage), error=reason)


def approval_refused(approval: Approval, caller: Caller, failure: PdpError) -> Entry:
    """A call was refused because the approval's signatures do not fit its content."""
    payload = b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps({"message": failure.sentence}))
    return entry(Kind.ERROR, payload, approval_id=approval.id, error=failure.reason)


def outbox_refused(approval: Approval, failure: PdpError) -> Entry:
    """A stored approval was not as a server wrote it, and what it held was kept out of the log."""
    payload = b'{"details":%b}' % orjson.dumps({"message": failure.sentence})
    return entry(Kind.ERROR, payload, approval_id=approval.id, error=failure.reason)


def approval_created(opening: Opening, caller: Caller, canonical: Canonical, verdict: Verdict) -> Entry:
    """An approval was opened: its request, its requirements, who must not review it, and which one it answers."""
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
    """One person's verdict and the approval's state after it."""
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
        "channel": review.channel,
        **{name: value for name in _WHERE_KNOWN if (value := getattr(review, name))},
    }
    rules = [approval.requirements[index].rule for index in review.fits]
    return entry(
        Kind.APPROVAL_REVIEWED, orjson.dumps(payload), rules=rules, policy_revision=revision, approval_id=approval.id
    )


def approval_consumed(
    approval: Approval, decision_id: str, request_id: str, revision: str, attempt_id: str = ""
) -> Entry:
    """An approval was used, by this attempt where the caller named it."""
    payload = {"decision_id": decision_id, "request_id": request_id, "request_digest": approval.digest}
    payload |= {"attempt_id": attempt_id} if attempt_id else {}
    return entry(Kind.APPROVAL_CONSUMED, orjson.dumps(payload), policy_revision=revision, approval_id=approval.id)


def approval_closed(
    approval: Approval, after: State, revision: str = "", *, closed_by: str = "", reason: str = ""
) -> Entry:
    """An approval ended without use. `closed_by` is empty if no person or caller ended it."""
    payload = {"state": after, "request_digest": approval.digest, "closed_by": closed_by, "reason": reason}
    return entry(Kind.APPROVAL_CLOSED, orjson.dumps(payload), policy_revision=revision, approval_id=approval.id)


def denial_taken_back(approval: Approval, taken: TakenBack, revision: str) -> Entry:
    """The person who denied it says that this was a mistake. The approval stays DENIED."""
    payload = {
        "by": taken.by,
        "at": taken.at,
        "request_digest": approval.digest,
        "state": approval.state,
        "signature": taken.signature,
    }
    return entry(Kind.DENIAL_TAKEN_BACK, orjson.dumps(payload), policy_revision=revision, approval_id=approval.id)


def approval_reminded(approval: Approval, record_id: str, after_ms: int) -> Entry:
    """People were reminded of a pending approval, so long after it was opened."""
    payload = {"after_ms": after_ms, "request_digest": approval.digest}
    return entry(Kind.APPROVAL_REMINDED, orjson.dumps(payload), record_id=record_id, approval_id=approval.id)


def outcome(approval: Approval, caller: Caller, reported: Outcome) -> Entry:
    """The caller reported how the action went."""
    decision_id = approval.used_by.decision_id if approval.used_by else ""
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
    """Data was masked, unmasked or rewrapped under a decision. `details` has columns, counts and digests, no values."""
    payload = b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps({"decision_id": decision_id, **details}))
    return entry(kind, payload, rules=rules, policy_revision=revision, error=failure)


def searched(caller: Caller, query: Mapping[str, Any], revision: str, details: Mapping[str, Any]) -> Entry:
    """A page of a search: what was asked, which candidates were looked at, and every result."""
    payload = b'{"caller":%b,"query":%b,"details":%b}' % (caller.json, orjson.dumps(query), orjson.dumps(details))
    return entry(Kind.SEARCH, payload, policy_revision=revision)


def lineage_changed(caller: Caller, facts: Sequence[bytes], revision: int, head: str) -> Entry:
    """What a person added to lineage, or took away: each fact as the log has it, or its hash where it is large."""
    told = b",".join(fact if len(fact) <= TOLD_BYTES else _hashed(fact) for fact in facts)
    at = orjson.dumps({"n": revision, "head": head})
    return entry(Kind.LINEAGE, b'{"caller":%b,"facts":[%b],"revision":%b}' % (caller.json, told, at))


def by_caller(kind: Kind, caller: Caller) -> Entry:
    """A caller used the log itself, for example exported it."""
    return entry(kind, b'{"caller":%b}' % caller.json)


def _asked(
    caller: Caller, canonical: Canonical, details: Mapping[str, Any], lineage: bytes = b"", now_ns: int = 0
) -> bytes:
    present = {name: value for name, value in details.items() if value}
    return b'{"caller":%b,"request":%b,"request_digest":"%b",%b"details":%b}' % (
        caller.json,
        canonical.json,
        canonical.digest.encode(),
        (b'"lineage":%b,' % lineage if lineage else b"") + (b'"now":%d,' % now_ns if now_ns else b""),
        orjson.dumps(present),
    )


def _hashed(fact: bytes) -> bytes:
    return orjson.dumps({"sha256": hashlib.sha256(fact).hexdigest(), "bytes": len(fact)})


def _rules(reasons: Sequence[Reason]) -> list[str]:
    return sorted({reason.rule for reason in reasons})
