"""What an approval is: its states, its reviews, its use. Pure: documents and answers in, results out.

    PENDING  -> APPROVED | DENIED | EXPIRED | CANCELLED
    APPROVED -> CONSUMED | EXPIRED | REVOKED | VOIDED

Every other transition is an error. All times are MongoDB's; `now` is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pdp.assertion import Assertion
from pdp.channel import Channel
from pdp.requirement import Requirement


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


class ReviewVerdict(StrEnum):
    """What a reviewer says."""

    APPROVE = "APPROVE"
    DENY = "DENY"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"


class OutcomeState(StrEnum):
    """What became of a use."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


EVENTS = ("approval.created", "approval.reviewed", "approval.consumed", "approval.closed")
"""The recorded steps of an approval, which webhooks may be told of."""

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


OPEN = frozenset(state for state, after in TRANSITIONS.items() if after)
"""The states that are not an end."""


def transition(before: State, after: State) -> State:
    """`after`, if the table has the step; else `ValueError`: a step outside the table is our mistake."""
    if after not in TRANSITIONS[before]:
        raise ValueError(f"no transition {before} -> {after}")
    return after


@dataclass(frozen=True, slots=True)
class Review:
    """One person's verdict, with groups and claims as verified then; `fits`: the requirements it counts in.

    `suggestion` is the canonical request that the reviewer would accept, and `suggestion_digest` its request digest, or
    both are empty; `signature` is the server's. `lineage` keeps what the reviewer was shown of the data.
    `channel` is where it came from, `account` the chat account that sent it, and `view_digest` of what that was shown.
    """

    reviewer: str
    person: str
    groups: tuple[str, ...]
    verdict: ReviewVerdict
    reason: str
    at: datetime
    fits: tuple[int, ...]
    policy_revision: str = ""
    suggestion: bytes = b""
    signature: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    suggestion_digest: str = ""
    lineage: str = ""
    channel: Channel = Channel.API
    account: str = ""
    view_digest: str = ""
    passkey: Assertion | None = None


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A record of a step that may not be in the log yet, and the server's signature over it."""

    entry: Any
    signature: str


@dataclass(frozen=True, slots=True)
class Use:
    """The one use of an approval. `record_sha256` is of the record of its decision; `signature` is the server's.

    `at` is MongoDB's time; it is None, like the signature is empty, where an older version of Placet wrote the use.
    `claim` is the mask job that works under it, if one does: no other job gets this use. `attempt_id` is the attempt
    that gets its answer again.
    """

    decision_id: str
    request_id: str
    record_sha256: str = ""
    at: datetime | None = None
    signature: str = ""
    claim: str = ""
    attempt_id: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller reported about its use; `late` where the grant had expired by then."""

    state: OutcomeState
    detail: str
    reported_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """That a denial was a mistake: who says so, when by MongoDB's clock, and the server's signature over it."""

    by: str
    at: datetime
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an approval holds from its beginning, frozen then but for the outbox.

    `seal` is the server's signature over it, made at `sealed_at` by MongoDB's clock (None: by an older version);
    `supersedes` is the sent-back approval that this one answers. `lineage` keeps what was known of the data.
    """

    id: str
    caller: str
    request: bytes
    digest: str
    justification: str
    requirements: tuple[Requirement, ...]
    principals: tuple[str, ...]
    decision_id: str
    policy_revision: str
    supersedes: str = ""
    seal: str = ""
    sealed_at: datetime | None = None
    outbox: tuple[OutboxEntry, ...] = ()
    lineage: str = ""

    @property
    def pending_for_ms(self) -> int:
        """The shortest of its requirements."""
        return min(requirement.pending_for_ms for requirement in self.requirements)

    @property
    def valid_for_ms(self) -> int:
        """The shortest of its requirements."""
        return min(requirement.valid_for_ms for requirement in self.requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Opening):
    """One approval as stored: its opening, and what became of it."""

    version: int
    state: State
    reviews: tuple[Review, ...] = ()
    created_at: datetime
    approved_at: datetime | None = None
    closed_at: datetime | None = None
    used_by: Use | None = None
    closed_by: str = ""
    close_reason: str = ""
    outcome: Outcome | None = None
    taken_back: TakenBack | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the present state ends by itself; None in an end state."""
        if self.state is State.PENDING:
            return self.created_at + timedelta(milliseconds=self.pending_for_ms)
        if self.state is State.APPROVED and self.approved_at is not None:
            return self.approved_at + timedelta(milliseconds=self.valid_for_ms)
        return None

    def state_at(self, now: datetime) -> State:
        """The state, where a deadline that has passed counts before it is written down."""
        expires_at = self.expires_at
        return State.EXPIRED if expires_at is not None and now >= expires_at else self.state

    @property
    def was_sent_back(self) -> bool:
        """Whether a reviewer closed it by asking for changes."""
        closed = self.state is State.DENIED and bool(self.reviews)
        return closed and self.reviews[-1].verdict is ReviewVerdict.CHANGES_REQUESTED


@dataclass(frozen=True, slots=True)
class ApprovalAt:
    """An approval and MongoDB's time when it was read."""

    approval: Approval
    now: datetime

    @property
    def state(self) -> State:
        """The state at that time."""
        return self.approval.state_at(self.now)
