"""Facts -> OPA's input, OPA's result -> verdict.

Pure, and strict: what is not exactly the expected shape is `PolicyInvalid`, never a decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any

import orjson

from pdp.approval import (
    Review,
)
from pdp.caller import Caller, is_person
from pdp.errors import PolicyInvalid
from pdp.frozen import frozen
from pdp.policy_answer import policy_list, policy_object, policy_revision, policy_text, policy_texts
from pdp.quorum import (
    Eligibility,
    PolicyReview,
)
from pdp.requirement import Requirement
from pdp.requirement_reading import KEYS, requirement


class Effect(StrEnum):
    """What the policy says; the names are the contract's."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    NEEDS_APPROVAL = "NEEDS_APPROVAL"


@frozen
class Reason:
    """A rule that led to an effect, and its words for people."""

    rule: str
    reason: str


@frozen
class Obligation:
    """A duty that comes with an allow; `properties` is a JSON object."""

    rule: str
    reason: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@frozen
class Verdict:
    """The policy's answer to one request, under one revision."""

    effect: Effect
    reasons: tuple[Reason, ...]
    revision: str
    obligations: tuple[Obligation, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    principals: tuple[str, ...] = ()
    fired: Mapping[str, tuple[Reason, ...]] | None = None

    def denied(self, rule: str, reason: str) -> "Verdict":
        """The same answer turned into a deny of the server's own."""
        return Verdict(Effect.DENY, (Reason(rule, reason),), self.revision, fired=self.fired)

    def allowed(self) -> "Verdict":
        """The same answer with its requirements met."""
        return Verdict(Effect.ALLOW, self.reasons, self.revision, self.obligations, fired=self.fired)


def opa_input(canonical: bytes, caller: Caller, now_ns: int) -> bytes:
    """The input of one decision: the canonical request with `caller` and `now` (integer nanoseconds) spliced in."""
    return b'{"caller":%b,"now":%d,%b' % (caller.json, now_ns, canonical[1:])


def review_input(
    canonical: bytes,
    caller: Caller,
    requirements: Sequence[Requirement],
    reviewers: Sequence[Caller | Review],
    now_ns: int,
) -> bytes:
    """The input of `data.pdp.review`: who, with the claims as verified at the review, fits which requirement."""
    return b'{"request":%b,"caller":%b,"now":%d,"requirements":%b,"reviewers":%b}' % (
        canonical,
        caller.json,
        now_ns,
        orjson.dumps([requirement.policy_form() for requirement in requirements]),
        orjson.dumps([_reviewer(reviewer) for reviewer in reviewers]),
    )


def _reviewer(reviewer: Caller | Review) -> dict[str, Any]:
    """A recorded review says where it came from; a caller asks whom it fits, wherever it will review."""
    facts = {"groups": reviewer.groups, "claims": reviewer.claims}
    if isinstance(reviewer, Review):
        where = {"channel": reviewer.channel, "passkey": reviewer.passkey is not None}
        return {"identity": reviewer.reviewer, **facts, **where}
    return {"identity": reviewer.identity, **facts}


def verdict(result: Any, person_types: frozenset[str]) -> Verdict:
    """Parse what `data.pdp.decision` answered.

    An approval that no person is accountable for (no owner whose type a `kind: person` issuer vouches for) is a deny.
    """
    answer = policy_object(result, "the decision", _DECISION_KEYS)
    effect = _effect(answer)
    needs_approval = effect is Effect.NEEDS_APPROVAL
    parsed = Verdict(
        effect,
        _reasons(answer.get("requirements" if needs_approval else "reasons"), of_requirements=needs_approval),
        policy_revision(answer),
        tuple(_obligation(entry) for entry in policy_list(answer.get("obligations", []), "obligation")),
        tuple(requirement(entry) for entry in policy_list(answer.get("requirements", []), "needs_approval")),
        policy_texts(answer.get("requester_principals", []), "requester_principals"),
        _fired(answer),
    )
    if not parsed.reasons:  # the core never answers with an effect that has no rule behind it
        raise PolicyInvalid("wrong_type", f"the policy answered {effect} without a rule that says so")
    if effect is not Effect.NEEDS_APPROVAL:
        return parsed
    owners = policy_texts(answer.get("owners"), "owners")
    if not any(is_person(owner, person_types) for owner in owners):
        return parsed.denied(
            "pdp.unowned_subject", "no person is accountable for this subject; name its owners in data.identities"
        )
    return parsed


def policy_review(result: Any, identities: Sequence[str], requirements: int) -> PolicyReview:
    """Parse what `data.pdp.review` answered about exactly `identities`, in order."""
    answer = policy_object(result, "the review", {"reviewers", "requester_principals", "revisions"})
    reviewers = tuple(_eligibility(entry, requirements) for entry in policy_list(answer.get("reviewers"), "reviewers"))
    if [reviewer.identity for reviewer in reviewers] != list(identities):
        raise PolicyInvalid("wrong_keys", "the policy answered for other reviewers than it was asked about")
    return PolicyReview(
        reviewers,
        frozenset(policy_texts(answer.get("requester_principals"), "requester_principals")),
        policy_revision(answer),
    )


_DECISION_KEYS = {
    "effect", "reasons", "obligations", "requirements", "requester_principals", "owners", "revisions", "fired",
}  # fmt: skip
_SETS = ("deny", "needs_approval", "allow", "obligation")


def _effect(answer: Mapping[str, Any]) -> Effect:
    try:
        return Effect(str(answer.get("effect")))
    except ValueError:
        raise PolicyInvalid("wrong_type", "the policy answered with an unknown effect") from None


def _reasons(entries: Any, *, of_requirements: bool) -> tuple[Reason, ...]:
    keys = KEYS if of_requirements else {"rule", "reason"}
    return tuple(
        sorted(
            {_reason(entry, keys) for entry in policy_list(entries, "rule")},
            key=lambda reason: (reason.rule, reason.reason),
        )
    )


def _reason(entry: Any, keys: set[str]) -> Reason:
    members = policy_object(entry, "an entry of a rule set", keys)
    return Reason(policy_text(members, "rule"), policy_text(members, "reason"))


def _obligation(entry: Any) -> Obligation:
    members = policy_object(entry, "an obligation", {"rule", "reason", "type", "properties"})
    properties = members.get("properties", {})
    if not isinstance(properties, dict):
        raise PolicyInvalid("wrong_type", "an obligation's properties are not an object")
    return Obligation(
        policy_text(members, "rule"), policy_text(members, "reason"), policy_text(members, "type"), properties
    )


def _eligibility(entry: Any, requirements: int) -> Eligibility:
    members = policy_object(entry, "a reviewer", {"identity", "person", "fits"})
    fits = tuple(policy_list(members.get("fits"), "fits"))
    if any(type(index) is not int or not 0 <= index < requirements for index in fits):
        raise PolicyInvalid("wrong_type", "a reviewer fits a requirement that was not asked about")
    return Eligibility(policy_text(members, "identity"), policy_text(members, "person"), fits)


def _fired(answer: Mapping[str, Any]) -> Mapping[str, tuple[Reason, ...]] | None:
    if "fired" not in answer:
        return None
    members = policy_object(answer["fired"], "the fired rules", set(_SETS))
    return {
        name: tuple(
            Reason(policy_text(entry, "rule"), policy_text(entry, "reason"))
            for entry in policy_list(members.get(name), name)
        )
        for name in _SETS
    }
