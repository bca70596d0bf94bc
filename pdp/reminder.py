"""When people are reminded of a pending approval, as its sealed requirements say. Pure."""

from datetime import datetime, timedelta

from pdp.approval import Approval, Opening


def times(opening: Opening) -> list[int]:
    """Milliseconds from the opening to each reminder, in ascending order."""
    return sorted({after for requirement in opening.requirements for after in requirement.remind_ms})


def last_due(approval: Approval, now: datetime) -> int | None:
    """The latest reminder whose time has come; None where there is none yet. Those before it are not caught up."""
    return max((after for after in times(approval) if _at(approval, after) <= now), default=None)


def next_due(approval: Approval, now: datetime) -> datetime | None:
    """When the next reminder is due after `now`; None behind the last one."""
    return min((_at(approval, after) for after in times(approval) if _at(approval, after) > now), default=None)


def _at(approval: Approval, after_ms: int) -> datetime:
    return approval.created_at + timedelta(milliseconds=after_ms)
