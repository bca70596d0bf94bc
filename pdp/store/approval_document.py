"""Maps an approval to the document in MongoDB and back. No other file maps approvals at this boundary."""

from dataclasses import asdict
from typing import Any

import orjson
from bson.binary import Binary

from pdp.approval import Approval, Outcome, OutcomeState, Requirement, Review, State, Verdict
from pdp.audit.record import Entry
from pdp.store.database import Document


def approval(document: Document) -> Approval:
    """The approval in a stored document."""
    outcome = document.get("outcome")
    return Approval(
        id=document["_id"],
        version=document["version"],
        state=State(document["state"]),
        caller=document["caller"],
        request=bytes(document["request"]),
        digest=document["digest"],
        justification=document["justification"],
        requirements=tuple(_requirement(requirement) for requirement in document["requirements"]),
        principals=tuple(document["principals"]),
        reviews=tuple(_review(review) for review in document["reviews"]),
        request_ids=tuple(document.get("request_ids", ())),
        decision_id=document["decision_id"],
        policy_revision=document["policy_revision"],
        created_at=document["created_at"],
        approved_at=document.get("approved_at"),
        closed_at=document.get("closed_at"),
        used_by=document.get("used_by"),
        outbox=tuple(Entry(**{**entry, "record": bytes(entry["record"])}) for entry in document["outbox"]),
        supersedes=document.get("supersedes", ""),
        seal=document.get("seal", ""),
        closed_by=document.get("closed_by", ""),
        close_reason=document.get("close_reason", ""),
        outcome=Outcome(**{**outcome, "state": OutcomeState(outcome["state"])}) if outcome else None,
    )


def of_requirement(requirement: Requirement) -> Document:
    """A requirement as a document. Its claims are JSON: MongoDB does not allow every claim's name as a key."""
    return {**asdict(requirement), "claims": orjson.dumps(requirement.claims)}


def of_review(review: Review) -> Document:
    """A review as a document."""
    return {
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


def of_outcome(outcome: Outcome) -> Document:
    """An outcome as a document."""
    return {
        "state": outcome.state,
        "detail": outcome.detail,
        "reported_at": outcome.reported_at,
        "late": outcome.late,
    }


def of_entry(entry: Entry) -> Document:
    """A record in an outbox as a document."""
    return {"id": entry.id, "record": entry.record, "salt": entry.salt, "payload": entry.payload}


def _requirement(document: Document) -> Requirement:
    changed: dict[str, Any] = {name: tuple(document[name]) for name in ("groups", "identities")}
    return Requirement(**{**document, **changed, "claims": orjson.loads(document["claims"])})


def _review(document: Document) -> Review:
    changed: dict[str, Any] = {
        "verdict": Verdict(document["verdict"]),
        "groups": tuple(document["groups"]),
        "fits": tuple(document["fits"]),
        "suggestion": bytes(document.get("suggestion", b"")),
        "claims": orjson.loads(document["claims"]),
    }
    return Review(**{**document, **changed})
