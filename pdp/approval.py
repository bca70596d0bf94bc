"""What an approval is: its states, its requirements, who counts. Pure: documents and answers in, results out.

    PENDING  -> APPROVED | DENIED | EXPIRED | CANCELLED
    APPROVED -> CONSUMED | EXPIRED | REVOKED | VOIDED

Every other transition is an error. All times are MongoDB's; `now` is an argument.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an approval stands; the names are the contract's."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    CONSUMED = "CONSUMED"
    VOIDED = "VOIDED"
    CANCELLED = "CANCELLED"
    REVOKED = "REVOKED"


class Verdict(StrEnum):
    """What a reviewer says."""

    APPROVE = "APPROVE"
    DENY = "DENY"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"


class OutcomeState(StrEnum):
    """What became of a use."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


DEFAULT_PENDING_FOR_MS = 24 * 3600 * 1000
DEFAULT_VALID_FOR_MS = 15 * 60 * 1000

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.CANCELLED}),
    State.APPROVED: frozenset({State.CONSUMED, State.EXPIRED, State.REVOKED, State.VOIDED}),
    State.DENIED: frozenset(),
    State.EXPIRED: frozenset(),
    State.CONSUMED: frozenset(),
    State.VOIDED: frozenset(),
    State.CANCELLED: frozenset(),
    State.REVOKED: frozenset(),
}


def transition(before: State, after: State) -> State:
    """`after`, if the table has the step; else `ValueError`: a step outside the table is our mistake."""
    if after not in TRANSITIONS[before]:
        raise ValueError(f"no transition {before} -> {after}")
    return after


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition that the policy sets: `count` different people by groups, identities or claims, in time.

    `individual`: nobody reviews it together with others in one command.
    """

    rule: str
    reason: str
    groups: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    count: int = 1
    pending_for_ms: int = DEFAULT_PENDING_FOR_MS
    valid_for_ms: int = DEFAULT_VALID_FOR_MS
    claims: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    individual: bool = False

    def policy_form(self) -> dict[str, Any]:
        """What `data.pdp.review` reads."""
        reviewers = {"groups": self.groups, "identities": self.identities, "claims": self.claims}
        return {"rule": self.rule, "reviewers": reviewers}


@dataclass(frozen=True, slots=True)
class Review:
    """One person's verdict, with groups and claims as verified then; `fits`: the requirements it counts in.

    `suggestion` is the canonical request that the reviewer would accept, or empty; `signature` is the server's.
    """

    reviewer: str
    person: str
    groups: tuple[str, ...]
    verdict: Verdict
    reason: str
    at: datetime
    fits: tuple[int, ...]
    policy_revision: str = ""
    suggestion: bytes = b""
    signature: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller reported about its use; `late` where the grant had expired by then."""

    state: OutcomeState
    detail: str
    reported_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as stored; `outbox` are the records of its last step that may not be in the log yet.

    `seal` is the server's signature over what is frozen at creation; `supersedes` is the sent-back approval that this
    one answers.
    """

    id: str
    version: int
    state: State
    caller: str
    request: bytes
    digest: str
    justification: str
    requirements: tuple[Requirement, ...]
    principals: tuple[str, ...]
    reviews: tuple[Review, ...]
    request_ids: tuple[str, ...]
    decision_id: str
    policy_revision: str
    created_at: datetime
    approved_at: datetime | None
    closed_at: datetime | None
    used_by: Mapping[str, str] | None
    outbox: tuple[Any, ...]
    supersedes: str = ""
    seal: str = ""
    closed_by: str = ""
    close_reason: str = ""
    outcome: Outcome | None = None

    @property
    def pending_for_ms(self) -> int:
        """The shortest of its requirements."""
        return min(requirement.pending_for_ms for requirement in self.requirements)

    @property
    def valid_for_ms(self) -> int:
        """The shortest of its requirements."""
        return min(requirement.valid_for_ms for requirement in self.requirements)

    @property
    def expires_at(self) -> datetime | None:
        """When the present state ends by itself; None in an end state."""
        if self.state is State.PENDING:
            return self.created_at + timedelta(milliseconds=self.pending_for_ms)
        if self.state is State.APPROVED and self.approved_at is not None:
            return self.approved_at + timedelta(milliseconds=self.valid_for_ms)
        return None

    def state_at(self, now: datetime) -> State:
        """The state, counting a deadline that passed although nobody has written it down yet."""
        expires_at = self.expires_at
        return State.EXPIRED if expires_at is not None and now >= expires_at else self.state

    @property
    def was_sent_back(self) -> bool:
        """Whether a reviewer closed it by asking for changes."""
        closed = self.state is State.DENIED and bool(self.reviews)
        return closed and self.reviews[-1].verdict is Verdict.CHANGES_REQUESTED


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The policy's word on one reviewer: the requirements it fits, and the one name of that person."""

    identity: str
    person: str
    fits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PolicyReview:
    """The answer of `data.pdp.review`."""

    reviewers: tuple[Eligibility, ...]
    principals: frozenset[str]
    revision: str


def approvals_per_requirement(
    requirements: Sequence[Requirement], approvers: Iterable[Eligibility], principals: Iterable[str]
) -> list[int]:
    """How many different people approve each requirement; principals and those who fit nothing count for none."""
    barred = frozenset(principals)
    people: list[set[str]] = [set() for _ in requirements]
    for approver in approvers:
        if approver.identity in barred or approver.person in barred:
            continue
        for index in approver.fits:
            people[index].add(approver.person)
    return [len(persons) for persons in people]


def satisfied(requirements: Sequence[Requirement], approvers: Iterable[Eligibility], principals: Iterable[str]) -> bool:
    """Whether every requirement has its people; no requirement at all is never satisfied."""
    counts = approvals_per_requirement(requirements, approvers, principals)
    return bool(counts) and all(
        people >= requirement.count for people, requirement in zip(counts, requirements, strict=True)
    )


def approvers(approval: Approval) -> list[Eligibility]:
    """Who approved, as judged at their review."""
    return [
        Eligibility(review.reviewer, review.person, review.fits)
        for review in approval.reviews
        if review.verdict is Verdict.APPROVE
    ]


def after_verdict(approval: Approval, reviewer: Eligibility, verdict: Verdict, principals: Iterable[str]) -> State:
    """Where a verdict leaves an approval that is PENDING, or a denial one that is APPROVED."""
    if approval.state is State.APPROVED:
        return State.REVOKED
    if verdict is not Verdict.APPROVE:
        return State.DENIED
    done = satisfied(approval.requirements, [*approvers(approval), reviewer], principals)
    return State.APPROVED if done else State.PENDING


def suggesters(approval: Approval) -> set[str]:
    """Whoever wrote a request into this approval, as identity and as person: none of them reviews that request."""
    return {name for review in approval.reviews if review.suggestion for name in (review.reviewer, review.person)}


_DURATION = re.compile(r"(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,7})s)?")


def duration_ms(text: str) -> int | None:
    """Milliseconds of a duration such as "4h", "15m" or "1h30m"; None for anything else, zero included."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 or None
