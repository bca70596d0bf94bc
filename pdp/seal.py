"""Makes an approval's document evidence: the server signs what is frozen when it opens, and each review.

1. Each signature is a JWS (`Ed25519`, the grant key) that only a process of this deployment can make.
2. Each kind of signature has a `typ` of its own: the approval, a review, a use, an entry of the outbox.
3. Ed25519 gives equal bytes for equal claims. So a check makes the signature again and compares it with the stored one;
   it parses and trusts nothing that was stored.
"""

import hmac
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import OKPKey

from pdp.approval import OPEN, Approval, Opening, OutboxEntry, Review, ReviewVerdict, State, Use, approvers, satisfied
from pdp.canonical import digest

STEP_TAKES_AT_MOST = timedelta(minutes=1)
"""The time between reading MongoDB's clock and the step that uses it. The bound is generous: a call that takes a step
ends after `deadline.MAX_SECONDS`."""
SEAL_VERSION = 2
"""The version of the seal. Version 1 had no `seal` claim and left the fields open that `frozen` adds."""
_USED = (State.APPROVED, State.CONSUMED)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Signs and checks with the grant key, in a realm's name."""

    key: OKPKey
    realm: str

    def frozen(self, opening: Opening) -> str:
        """The signature over what never changes once an approval is open."""
        added = {
            "seal": SEAL_VERSION,
            "justification": opening.justification,
            "decision": opening.decision_id,
            "policy_revision": opening.policy_revision,
            "at": _text(opening.sealed_at),
        }
        return self._signed("placet-approval+jwt", {**_frozen_at_first(opening), **added})

    def is_old(self, approval: Approval) -> bool:
        """Whether an older version of Placet sealed it, which left some fields open."""
        if approval.sealed_at is not None:
            return False
        return _equal(self._signed("placet-approval+jwt", _frozen_at_first(approval)), approval.seal)

    def use(self, approval_id: str, request_digest: str, use: Use) -> str:
        """The signature over a use."""
        claims = {
            "approval": approval_id,
            "digest": request_digest,
            "decision": use.decision_id,
            "request_id": use.request_id,
            "record_sha256": use.record_sha256,
            "at": _text(use.at),
            **({"claim": use.claim} if use.claim else {}),
            **({"attempt_id": use.attempt_id} if use.attempt_id else {}),
        }
        return self._signed("placet-use+jwt", claims)

    def outbox(self, approval_id: str, version: int, entry: Any) -> str:
        """The signature over a record that the step to this version of the approval made."""
        claims = {
            "approval": approval_id,
            "version": version,
            "record": entry.id,
            "record_sha256": sha256(entry.record).hexdigest(),
            "payload_sha256": sha256(entry.salt + entry.payload).hexdigest(),
        }
        return self._signed("placet-outbox+jwt", claims)

    def wrote(self, approval: Approval, posted: OutboxEntry) -> bool:
        """Whether a step to this very version of the approval put the record into its outbox."""
        return _equal(self.outbox(approval.id, approval.version, posted.entry), posted.signature)

    def review(self, approval_id: str, request_digest: str, review: Review) -> str:
        """The signature over a review. `facts` is the hash of the whole review, with the groups and claims."""
        claims = {
            "approval": approval_id,
            "digest": request_digest,
            "reviewer": review.reviewer,
            "person": review.person,
            "verdict": review.verdict,
            "at": review.at.isoformat(timespec="milliseconds"),
            "facts": _facts(review),
            **({"suggestion": review.suggestion_digest} if review.suggestion_digest else {}),
        }
        return self._signed("placet-review+jwt", claims)

    def fault(self, approval: Approval) -> str:
        """What somebody other than a server changed; empty if the approval is as this deployment wrote it.

        One that an older version sealed may be read at its end; while it is open, `is_old` comes first.
        """
        if digest(approval.request, self.realm) != approval.digest or not self._is_sealed(approval):
            return "the part that was frozen when it was opened is not what was signed"
        for review in approval.reviews:
            if not _equal(self.review(approval.id, approval.digest, review), review.signature):
                return "a review is not what was signed"
        if approval.state in _USED and not _was_approved(approval):
            return "its reviews do not lead to its state"
        if approval.state is State.CONSUMED and not self._was_used(approval):
            return "its use is not what was signed"
        return ""

    def _is_sealed(self, approval: Approval) -> bool:
        """Whether the seal is right, and MongoDB stamped the opening within a minute of it."""
        if approval.sealed_at is None:
            return approval.state not in OPEN and self.is_old(approval)
        return _equal(self.frozen(approval), approval.seal) and _together(approval.created_at, approval.sealed_at)

    def _was_used(self, approval: Approval) -> bool:
        """Whether the use is signed, and MongoDB stamped it within a minute of that. An old one has no signature."""
        use = approval.used_by
        if use is None or approval.closed_at is None:
            return False
        if use.at is None:
            return approval.sealed_at is None
        signed = _equal(self.use(approval.id, approval.digest, use), use.signature)
        return signed and _together(approval.closed_at, use.at)

    def _signed(self, kind: str, claims: dict[str, Any]) -> str:
        header = {"alg": "Ed25519", "typ": kind, "kid": self.key.kid}
        return jwt.encode(header, {"iss": self.realm, **claims}, self.key, algorithms=["Ed25519"])


def _was_approved(approval: Approval) -> bool:
    """Whether the reviews led to the state APPROVED.

    1. Every review approves, and they meet all requirements.
    2. The state was set at most `STEP_TAKES_AT_MOST` after the last review.
    3. If it is not consumed, no close and no use is stored.
    """
    said_yes = all(review.verdict is ReviewVerdict.APPROVE for review in approval.reviews)
    if not said_yes or not satisfied(approval.requirements, approvers(approval), approval.principals):
        return False
    if approval.approved_at is None or approval.approved_at > approval.reviews[-1].at + STEP_TAKES_AT_MOST:
        return False
    return approval.state is State.CONSUMED or (approval.closed_at is None and approval.used_by is None)


def _frozen_at_first(opening: Opening) -> dict[str, Any]:
    """What the first version of the seal covers."""
    return {
        "approval": opening.id,
        "digest": opening.digest,
        "caller": opening.caller,
        "principals": list(opening.principals),
        "supersedes": opening.supersedes,
        "requirements": _fingerprint([requirement.sealed_form() for requirement in opening.requirements]),
    }


def _facts(review: Review) -> str:
    """The hash of a review without its signature and `suggestion_digest`, which older versions did not have."""
    facts = {one.name: getattr(review, one.name) for one in fields(Review) if one.name != "suggestion_digest"}
    claims = orjson.Fragment(orjson.dumps(review.claims, option=orjson.OPT_SORT_KEYS))
    return sha256(orjson.dumps({**facts, "signature": "", "claims": claims}, default=bytes.decode)).hexdigest()


def _text(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at else ""


def _together(stamp: datetime, signed: datetime) -> bool:
    return abs(stamp - signed) <= STEP_TAKES_AT_MOST


def _fingerprint(value: Any) -> str:
    return sha256(orjson.dumps(value, default=bytes.decode, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _equal(made: str, stored: str) -> bool:
    return hmac.compare_digest(made.encode(), stored.encode())
