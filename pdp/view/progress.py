"""How far an approval is: what each requirement still lacks, who may still review it, and who may not and why."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from pdp.v1.approval_pb2 import Approval, ApprovalState, EligibleReviewers, GetApprovalResponse, Requirement
from pdp.view.leaf import Leaf
from pdp.view.named import channel
from pdp.view.request import claims
from pdp.view.theirs import Theirs, theirs

MAX_NAMED = 100
"""Identities that a server names of a requirement at most; there may be more of them."""


class Needs(NamedTuple):
    """One requirement: whom it asks for, how far it is, and where a yes counts."""

    rule: Theirs
    reason: Theirs
    people: int
    approved: int
    groups: tuple[Theirs, ...]
    identities: tuple[Theirs, ...]
    claims: tuple[Leaf, ...]
    is_individual: bool
    wants_passkey: bool
    channels: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many people must still approve."""
        return max(self.people - self.approved, 0)


class Eligible(NamedTuple):
    """Who may still review by one rule. With `open` others may fit, too, whom the policy does not name."""

    rule: Theirs
    identities: tuple[Theirs, ...]
    open: bool


class TooFew(NamedTuple):
    """A requirement that too few people are left for: how many must still review, and how many the policy names.

    With `is_open` only tokens could say who else may.
    """

    rule: Theirs
    groups: tuple[Theirs, ...]
    missing: int
    named: int
    is_open: bool


class Why(StrEnum):
    """Why somebody may not review."""

    REQUESTER = "is behind the request"
    SUGGESTED = "suggested it when an earlier request was sent back"
    REVIEWED = "has reviewed it"


class Barred(NamedTuple):
    """Somebody who may not review."""

    identity: Theirs
    why: Why


def needs(requirement: Requirement) -> Needs:
    """One requirement."""
    return Needs(
        Theirs(requirement.rule),
        Theirs(requirement.reason),
        requirement.count,
        requirement.approved,
        theirs(requirement.groups),
        theirs(requirement.identities),
        claims(requirement.claims),
        requirement.individual,
        requirement.passkey,
        tuple(map(channel, requirement.channels)),
    )


def eligible(people: EligibleReviewers) -> Eligible:
    """Who may still review by one requirement."""
    return Eligible(Theirs(people.rule), theirs(people.identities), people.open)


def barred(held: Approval, sent_back: Approval | None = None) -> tuple[Barred, ...]:
    """Who may not review, each once. `sent_back` is the approval that this one answers."""
    wrote = _suggesters(held, sent_back) if sent_back else frozenset()
    behind = {name: Why.SUGGESTED if name in wrote else Why.REQUESTER for name in held.requester_principals}
    reviewed = {review.reviewer: Why.REVIEWED for review in held.reviews}
    return tuple(Barred(Theirs(identity), why) for identity, why in {**reviewed, **behind}.items())


def _suggesters(held: Approval, sent_back: Approval) -> frozenset[str]:
    """Who may not review because of a suggestion alone, with the other identities of these people.

    Where both were asked by the same in the same names, nothing else makes anybody new a principal.
    """
    wrote = {review.reviewer for review in sent_back.reviews if review.HasField("suggestion")}
    is_same = wrote and _behind(held) == _behind(sent_back)
    return frozenset(held.requester_principals if is_same else wrote) - {*sent_back.requester_principals}


def _behind(held: Approval) -> list[object]:
    asked = held.request
    return [held.caller, *((one.type, one.id) for one in (asked.subject, *asked.on_behalf_of))]


def too_few(answer: GetApprovalResponse) -> tuple[TooFew, ...]:
    """The requirements of a pending approval that too few people are left for."""
    held = answer.approval
    if held.state != ApprovalState.APPROVAL_STATE_PENDING:
        return ()
    return tuple(found for pair in zip(held.requirements, answer.eligible, strict=False) for found in _too_few(*pair))


def _too_few(requirement: Requirement, people: EligibleReviewers) -> Iterator[TooFew]:
    missing, there = requirement.count - requirement.approved, len(people.identities)
    if missing <= 0 or there >= min(missing, MAX_NAMED) or (people.open and there):
        return
    yield TooFew(Theirs(requirement.rule), theirs(requirement.groups), missing, there, people.open)
