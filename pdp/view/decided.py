"""Who decided on an approval and when, for a list: a word of ours for each step, and the people who took it."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pdp.v1.approval_pb2 import Approval, Verdict
from pdp.view.named import at, moment, state
from pdp.view.theirs import Theirs, theirs

_AFTER_A_YES = ("CONSUMED", "EXPIRED", "REVOKED", "VOIDED")
"""States that an approval which was given may end in."""


class Step(NamedTuple):
    """What was done, by whom and when. `who` is empty where time, the policy or a use did it."""

    what: str
    who: tuple[Theirs, ...]
    at: datetime | None


def decided(held: Approval) -> tuple[Step, ...]:
    """The steps, at least one: an approval that waits is "pending"."""
    return tuple(_steps(held, state(held)))


def _steps(held: Approval, now: str) -> Iterator[Step]:
    given = [one for one in held.reviews if one.verdict == Verdict.VERDICT_APPROVE]
    was_given = now in _AFTER_A_YES and all(one.approved >= one.count for one in held.requirements)
    if given and (was_given or now == "APPROVED"):
        yield Step("approved", theirs(one.reviewer for one in given), at(given[-1].reviewed_at))
    if now == "APPROVED":
        return
    by = theirs([held.closed_by] if held.closed_by else [])
    yield Step(_word(held, now), by, moment(held, "closed_at"))


def _word(held: Approval, now: str) -> str:
    if now == "DENIED" and held.reviews and held.reviews[-1].verdict == Verdict.VERDICT_CHANGES_REQUESTED:
        return "sent back"
    return "used" if now == "CONSUMED" else now.lower()
