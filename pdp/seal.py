"""Makes an approval's document evidence: the server signs what is frozen when it opens, and each review.

1. Each signature is a JWS (`Ed25519`, the grant key) that only a process of this deployment can make.
2. Ed25519 gives equal bytes for equal claims. So a check makes the signature again and compares it with the stored one;
   it parses and trusts nothing that was stored.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import OKPKey

from pdp.approval import Approval, Opening, Review, ReviewVerdict, State, approvers, satisfied
from pdp.canonical import digest

STEP_TAKES_AT_MOST = timedelta(minutes=1)
"""The time between reading MongoDB's clock and the step that uses it. The bound is generous: a call that takes a step
ends after `deadline.MAX_SECONDS`."""
_USED = (State.APPROVED, State.CONSUMED)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Signs and checks with the grant key, in a realm's name."""

    key: OKPKey
    realm: str

    def frozen(self, opening: Opening) -> str:
        """The signature over what never changes once an approval is open."""
        claims = {
            "approval": opening.id,
            "digest": opening.digest,
            "caller": opening.caller,
            "principals": list(opening.principals),
            "supersedes": opening.supersedes,
            "requirements": _fingerprint(list(opening.requirements)),
        }
        return self._signed("placet-approval+jwt", claims)

    def review(self, approval_id: str, request_digest: str, review: Review) -> str:
        """The signature over a review. `facts` is the hash of the whole review, with the groups and claims."""
        claims = {
            "approval": approval_id,
            "digest": request_digest,
            "reviewer": review.reviewer,
            "person": review.person,
            "verdict": review.verdict,
            "at": review.at.isoformat(timespec="milliseconds"),
            "facts": _fingerprint(replace(review, signature="")),
        }
        return self._signed("placet-review+jwt", claims)

    def fault(self, approval: Approval) -> str:
        """What somebody other than a server changed; empty if the approval is as this deployment wrote it."""
        if not _equal(self.frozen(approval), approval.seal) or digest(approval.request, self.realm) != approval.digest:
            return "the part that was frozen when it was opened is not what was signed"
        for review in approval.reviews:
            if not _equal(self.review(approval.id, approval.digest, review), review.signature):
                return "a review is not what was signed"
        if approval.state in _USED and not _was_approved(approval):
            return "its reviews do not lead to its state"
        return ""

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


def _fingerprint(value: Any) -> str:
    return sha256(orjson.dumps(value, default=bytes.decode, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _equal(made: str, stored: str) -> bool:
    return hmac.compare_digest(made.encode(), stored.encode())
