"""Makes an approval's document evidence: the server signs what is frozen when it opens, and each review.

1. Each signature is a JWS by the key `seal`, which signs nothing else and which only processes of this deployment have.
2. Each kind of signature has a `typ` of its own: the approval, a review, a use, an entry of the outbox. No claim has a
   name that a claim of a grant has, so that no program takes a seal for a grant.
3. Ed25519 gives equal bytes for equal claims. So a check makes the signature again and compares it with the stored one;
   it parses and trusts nothing that was stored.
4. Before there was a key `seal`, the key of the grants signed, and the claims had other names. That key became `seal`,
   and what it signed then stays valid.
"""

import hmac
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.approval import (
    OPEN,
    Approval,
    Opening,
    OutboxEntry,
    Review,
    ReviewVerdict,
    State,
    TakenBack,
    Use,
)
from pdp.canonical import digest
from pdp.quorum import (
    approvers,
    satisfied,
)

STEP_TAKES_AT_MOST = timedelta(minutes=1)
"""The time between reading MongoDB's clock and the step that uses it. The bound is generous: a call that takes a step
ends after `deadline.MAX_SECONDS`."""
SEAL_VERSION = 3
"""The version of the seal. Version 1 had no `seal` claim and left the fields open that `frozen` adds; version 2 had the
names of `_NAMES_BEFORE`."""
_NAMES_BEFORE = {"realm": "iss", "approval_id": "approval", "request_digest": "digest"}
"""What claims were called while one key signed seals and grants. The algorithm had its newer name then."""
_ADDED_TO_REVIEWS = ("lineage", "channel", "account", "view_digest", "passkey")
"""Members that reviews did not have from the beginning. Each is signed where it is not at its default."""
_USED = (State.APPROVED, State.CONSUMED)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Signs and checks with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def frozen(self, opening: Opening) -> str:
        """The signature over what never changes once an approval is open."""
        return self._signed(_frozen(opening))

    def is_old(self, approval: Approval) -> bool:
        """Whether the first version of the seal is on it, which left some fields open."""
        if approval.sealed_at is not None:
            return False
        return _equal(self._signed_before(_Statement("placet-approval+jwt", _frozen_at_first(approval))), approval.seal)

    def use(self, approval_id: str, request_digest: str, use: Use) -> str:
        """The signature over a use."""
        return self._signed(_used(approval_id, request_digest, use))

    def outbox(self, approval_id: str, version: int, entry: Any) -> str:
        """The signature over a record that the step to this version of the approval made."""
        return self._signed(_posted(approval_id, version, entry))

    def wrote(self, approval: Approval, posted: OutboxEntry) -> bool:
        """Whether a step to this very version of the approval put the record into its outbox."""
        return self._is_signed(_posted(approval.id, approval.version, posted.entry), posted.signature)

    def review(self, approval_id: str, request_digest: str, review: Review) -> str:
        """The signature over a review."""
        return self._signed(_reviewed(approval_id, request_digest, review))

    def taken_back(self, approval_id: str, request_digest: str, taken: TakenBack) -> str:
        """The signature over a denial that was taken back."""
        return self._signed(_taken_back(approval_id, request_digest, taken))

    def was_taken_back(self, approval: Approval) -> bool:
        """Whether a server stored that its denial was taken back."""
        taken = approval.taken_back
        return taken is not None and self._is_signed(_taken_back(approval.id, approval.digest, taken), taken.signature)

    def fault(self, approval: Approval) -> str:
        """What somebody other than a server changed; empty if the approval is as this deployment wrote it.

        One that an older version sealed may be read at its end; while it is open, `is_old` comes first.
        """
        if digest(approval.request, self.realm) != approval.digest or not self._is_sealed(approval):
            return "the part that was frozen when it was opened is not what was signed"
        for review in approval.reviews:
            if not self._is_signed(_reviewed(approval.id, approval.digest, review), review.signature):
                return "a review is not what was signed"
        if approval.state in _USED and not _was_approved(approval):
            return "its reviews do not lead to its state"
        if approval.state is State.CONSUMED and not self._was_used(approval):
            return "its use is not what was signed"
        if approval.taken_back and not self.was_taken_back(approval):
            return "that its denial was taken back is not what was signed"
        return ""

    def _is_sealed(self, approval: Approval) -> bool:
        """Whether the seal is right, and MongoDB stamped the opening within a minute of it."""
        if approval.sealed_at is None:
            return approval.state not in OPEN and self.is_old(approval)
        is_signed = self._is_signed(_frozen(approval), approval.seal)
        return is_signed and _together(approval.created_at, approval.sealed_at)

    def _was_used(self, approval: Approval) -> bool:
        """Whether the use is signed, and MongoDB stamped it within a minute of that. An old one has no signature."""
        use = approval.used_by
        if use is None or approval.closed_at is None:
            return False
        if use.at is None:
            return approval.sealed_at is None
        is_signed = self._is_signed(_used(approval.id, approval.digest, use), use.signature)
        return is_signed and _together(approval.closed_at, use.at)

    def _is_signed(self, statement: "_Statement", stored: str) -> bool:
        return _equal(self._signed(statement), stored) or _equal(self._signed_before(statement), stored)

    def _signed(self, statement: "_Statement") -> str:
        return jws.signed(statement.kind, {"realm": self.realm, **statement.claims}, self.key)

    def _signed_before(self, statement: "_Statement") -> str:
        """The same as a server signed it while one key signed seals and grants."""
        claims = {"realm": self.realm, **statement.claims}
        renamed = {_NAMES_BEFORE.get(name, name): value for name, value in claims.items()}
        version = {"seal": 2} if "seal" in claims else {}
        return jws.signed(statement.kind, {**renamed, **version}, self.key, "Ed25519")


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is signed, without the realm: the `typ` and the claims."""

    kind: str
    claims: dict[str, Any]


def _frozen(opening: Opening) -> _Statement:
    added = {
        "seal": SEAL_VERSION,
        "justification": opening.justification,
        "decision": opening.decision_id,
        "policy_revision": opening.policy_revision,
        "at": _text(opening.sealed_at),
        **({"lineage": sha256(opening.lineage.encode()).hexdigest()} if opening.lineage else {}),
    }
    return _Statement("placet-approval+jwt", {**_frozen_at_first(opening), **added})


def _used(approval_id: str, request_digest: str, use: Use) -> _Statement:
    claims = {
        "approval_id": approval_id,
        "request_digest": request_digest,
        "decision": use.decision_id,
        "request_id": use.request_id,
        "record_sha256": use.record_sha256,
        "at": _text(use.at),
        **({"claim": use.claim} if use.claim else {}),
        **({"attempt_id": use.attempt_id} if use.attempt_id else {}),
    }
    return _Statement("placet-use+jwt", claims)


def _taken_back(approval_id: str, request_digest: str, taken: TakenBack) -> _Statement:
    claims = {"approval_id": approval_id, "request_digest": request_digest, "by": taken.by, "at": _text(taken.at)}
    return _Statement("placet-taken-back+jwt", claims)


def _posted(approval_id: str, version: int, entry: Any) -> _Statement:
    claims = {
        "approval_id": approval_id,
        "version": version,
        "record": entry.id,
        "record_sha256": sha256(entry.record).hexdigest(),
        "payload_sha256": sha256(entry.salt + entry.payload).hexdigest(),
    }
    return _Statement("placet-outbox+jwt", claims)


def _reviewed(approval_id: str, request_digest: str, review: Review) -> _Statement:
    """`facts` is the hash of the whole review, with the groups and claims."""
    claims = {
        "approval_id": approval_id,
        "request_digest": request_digest,
        "reviewer": review.reviewer,
        "person": review.person,
        "verdict": review.verdict,
        "at": review.at.isoformat(timespec="milliseconds"),
        "facts": _facts(review),
        **({"suggestion": review.suggestion_digest} if review.suggestion_digest else {}),
    }
    return _Statement("placet-review+jwt", claims)


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
        "approval_id": opening.id,
        "request_digest": opening.digest,
        "caller": opening.caller,
        "principals": list(opening.principals),
        "supersedes": opening.supersedes,
        "requirements": _fingerprint([requirement.sealed_form() for requirement in opening.requirements]),
    }


def _facts(review: Review) -> str:
    """The hash of a review without its signature, and without what older versions did not have, unless it is there."""
    members = {one.name: (getattr(review, one.name), one.default) for one in fields(Review)}
    left_out = {"suggestion_digest", *(name for name in _ADDED_TO_REVIEWS if members[name][0] == members[name][1])}
    facts = {name: value for name, (value, _) in members.items() if name not in left_out}
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
