"""A task of the access-request profile of AuthZEN: what the caller of an access request sees of its approval. Pure.

A task is `pending` until its approval is not PENDING any more, and then never changes: what becomes of an approval
after people gave it, the next evaluation says.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pdp.approval import (
    OPEN,
    ApprovalAt,
    State,
)
from pdp.quorum import (
    approvals_per_requirement,
    approvers,
)

PREFIX = "arq_"
"""What a task's id begins with. No approval has such an id."""
_RANDOM_BYTES = 16
"""Bytes of a task's id: 128 bits, which nobody can guess. They say nothing, not even when it was made."""
_ID = re.compile(f"{PREFIX}[0-9a-f]{{{2 * _RANDOM_BYTES}}}")
ALLOWED_SECONDS = 900
"""Seconds that a client may rely on the result of a task whose access the policy allowed without people."""


class Status(StrEnum):
    """Where a task stands; the names are the profile's."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


_UNAPPROVED: Mapping[State, Status] = {
    State.PENDING: Status.PENDING,
    State.DENIED: Status.DENIED,
    State.EXPIRED: Status.EXPIRED,
    State.CANCELLED: Status.CANCELLED,
}
"""The status of an approval that was never APPROVED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as stored. One without an approval was `settled_at` its submission: the policy allowed it by then."""

    id: str
    caller: str
    digest: str
    approval_id: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What an approved task gives: the approval to name in the next evaluation."""

    approval_id: str
    approved_at: datetime
    approved_until: datetime


@dataclass(frozen=True, slots=True)
class TaskAt:
    """A task, and its approval as it was read; None where none was needed."""

    task: Task
    held: ApprovalAt | None

    @property
    def status(self) -> Status:
        """The status at that time."""
        if self.held is None or self.held.approval.approved_at is not None:
            return Status.APPROVED
        return _UNAPPROVED.get(self.held.state, Status.FAILED)

    def ended_before(self, seconds: int) -> bool:
        """Whether its approval had come to its end by then, in seconds since 1970: used, or given up."""
        if self.held is None or self.held.state in OPEN:
            return False
        end = self.held.approval.closed_at or self.held.approval.expires_at
        return end is not None and int(end.timestamp()) <= seconds

    @property
    def expires_at(self) -> datetime | None:
        """When a pending task ends by itself."""
        pending = self.held is not None and self.status is Status.PENDING
        return self.held.approval.expires_at if self.held and pending else None

    @property
    def result(self) -> Result | None:
        """The result of an approved task."""
        if self.held is None:
            at = self.task.settled_at
            return Result(self.task.id, at, at + timedelta(seconds=ALLOWED_SECONDS)) if at else None
        approval = self.held.approval
        at = approval.approved_at
        return Result(approval.id, at, at + timedelta(milliseconds=approval.valid_for_ms)) if at else None

    @property
    def steps(self) -> tuple[int, int] | None:
        """How many approvals a pending task has, and how many it needs. They are numbers and no names, on purpose."""
        if self.held is None or self.status is not Status.PENDING:
            return None
        approval = self.held.approval
        wanted = [requirement.count for requirement in approval.requirements]
        counts = approvals_per_requirement(approval.requirements, approvers(approval), approval.principals)
        return sum(min(have, need) for have, need in zip(counts, wanted, strict=True)), sum(wanted)


def is_id(text: str) -> bool:
    """Whether a task may have this id."""
    return _ID.fullmatch(text) is not None


def new_id() -> str:
    """The id of a new task."""
    return PREFIX + secrets.token_hex(_RANDOM_BYTES)
