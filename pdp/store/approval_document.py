"""Maps an approval to the document in MongoDB and back. No other file maps approvals at this boundary."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

import orjson
from bson.binary import Binary

from pdp.approval import (
    Approval,
    Opening,
    OutboxEntry,
    Outcome,
    OutcomeState,
    Review,
    ReviewVerdict,
    State,
    TakenBack,
    Use,
)
from pdp.assertion import Assertion
from pdp.audit.record import Entry
from pdp.channel import Channel
from pdp.requirement import Requirement
from pdp.store.database import Document


def from_document(document: Document) -> Approval:
    """The approval in a stored document."""
    outcome, used_by, taken_back = (document.get(name) for name in ("outcome", "used_by", "taken_back"))
    return Approval(
        id=document["_id"],
        **{name: _READ.get(name, _same)(document[name]) for name in _OPENING if name in document},
        version=document["version"],
        state=State(document["state"]),
        reviews=tuple(_review(review) for review in document["reviews"]),
        created_at=document["created_at"],
        approved_at=document.get("approved_at"),
        closed_at=document.get("closed_at"),
        used_by=_use(used_by) if used_by else None,
        closed_by=document.get("closed_by", ""),
        close_reason=document.get("close_reason", ""),
        outcome=Outcome(**{**outcome, "state": OutcomeState(outcome["state"])}) if outcome else None,
        taken_back=_taken_back(taken_back) if taken_back else None,
    )


def of_opening(opening: Opening) -> Document:
    """What a new approval holds, but its id, and the durations that deadlines are computed with."""
    held = {name: _WRITTEN.get(name, _same)(getattr(opening, name)) for name in _OPENING}
    return {**held, "pending_for_ms": opening.pending_for_ms, "valid_for_ms": opening.valid_for_ms}


def of_requirement(requirement: Requirement) -> Document:
    """A requirement as a document. Its claims are JSON: MongoDB does not allow every claim's name as a key."""
    return {**asdict(requirement), "claims": orjson.dumps(requirement.claims)}


def of_review(review: Review) -> Document:
    """A review as a document."""
    document = {
        "reviewer": review.reviewer,
        "person": review.person,
        "groups": list(review.groups),
        "verdict": review.verdict,
        "reason": review.reason,
        "at": review.at,
        "fits": list(review.fits),
        "policy_revision": review.policy_revision,
        "suggestion": Binary(review.suggestion),
        "signature": review.signature,
        "claims": orjson.dumps(review.claims),
    }
    later = {
        "suggestion_digest": review.suggestion_digest,
        "lineage": review.lineage,
        "channel": review.channel,
        "account": review.account,
        "view_digest": review.view_digest,
        "passkey": asdict(review.passkey) if review.passkey else None,
    }
    return {**document, **{name: value for name, value in later.items() if value}}


def of_use(use: Use) -> Document:
    """A use as a document."""
    return asdict(use)


def of_outcome(outcome: Outcome) -> Document:
    """An outcome as a document."""
    return {
        "state": outcome.state,
        "detail": outcome.detail,
        "reported_at": outcome.reported_at,
        "late": outcome.late,
    }


def of_taken_back(taken: TakenBack) -> Document:
    """That a denial was taken back, as a document."""
    return asdict(taken)


def of_posted(posted: OutboxEntry) -> Document:
    """A record in an outbox as a document, with its signature beside it."""
    entry = posted.entry
    record = {"id": entry.id, "record": entry.record, "salt": entry.salt, "payload": entry.payload}
    return {**record, "signature": posted.signature}


def to_requirement(document: Document) -> Requirement:
    """The requirement in a document."""
    lists = ("groups", "identities", "summary", "remind_ms")
    changed: dict[str, Any] = {name: tuple(document[name]) for name in lists if name in document}
    if "channels" in document:
        changed["channels"] = tuple(Channel(name) for name in document["channels"])
    return Requirement(**{**document, **changed, "claims": orjson.loads(document["claims"])})


def _review(document: Document) -> Review:
    changed: dict[str, Any] = {
        "verdict": ReviewVerdict(document["verdict"]),
        "groups": tuple(document["groups"]),
        "fits": tuple(document["fits"]),
        "suggestion": bytes(document.get("suggestion", b"")),
        "claims": orjson.loads(document["claims"]),
        "channel": Channel(document.get("channel", Channel.API)),
        "passkey": Assertion(**document["passkey"]) if "passkey" in document else None,
    }
    return Review(**{**document, **changed})


def _use(document: Document) -> Use:
    """A use. One by an older version has fewer fields; `Sealer` refuses one that a server did not write."""
    return Use(**{field.name: document[field.name] for field in fields(Use) if field.name in document})


def _taken_back(document: Any) -> TakenBack:
    """What says that a denial was taken back. Of another shape than a server writes, it is one that nobody signed."""
    given = document if isinstance(document, dict) else {}
    by, at, signature = (given.get(name) for name in ("by", "at", "signature"))
    if not (isinstance(by, str) and isinstance(at, datetime) and isinstance(signature, str)):
        return TakenBack("", datetime.fromtimestamp(0, UTC))
    return TakenBack(by, at, signature)


def _posted(document: Any) -> OutboxEntry:
    """A record in an outbox. What has another shape than a server writes is read as one that nobody signed."""
    given = document if isinstance(document, dict) else {}
    raw = [given.get(name) for name in ("record", "salt", "payload")]
    texts = [given.get("id"), given.get("signature", "")]
    if not all(isinstance(one, bytes) for one in raw) or not all(isinstance(t, str) for t in texts):
        return OutboxEntry(Entry("", b"", b"", b""), "")
    record, salt, payload = (bytes(one or b"") for one in raw)
    return OutboxEntry(Entry(str(texts[0]), record, salt, payload), str(texts[1]))


def _same(value: Any) -> Any:
    return value


_OPENING = [field.name for field in fields(Opening) if field.name != "id"]
_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "request": Binary,
    "requirements": lambda requirements: [of_requirement(requirement) for requirement in requirements],
    "principals": list,
    "outbox": lambda entries: [of_posted(posted) for posted in entries],
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "request": bytes,
    "requirements": lambda documents: tuple(to_requirement(document) for document in documents),
    "principals": tuple,
    "outbox": lambda documents: tuple(_posted(document) for document in documents),
}
