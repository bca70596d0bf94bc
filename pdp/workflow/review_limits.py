"""Keeps people from being asked too often, and from nodding many things through at once."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pdp.approval import (
    Approval,
    ApprovalAt,
    ReviewVerdict,
    State,
)
from pdp.caller import is_person, named
from pdp.decision import Verdict
from pdp.errors import PdpError, TooManyPending
from pdp.quorum import (
    Eligibility,
)
from pdp.requirement import Requirement
from pdp.seal import Sealer
from pdp.store.approvals import Approvals
from pdp.store.pace import Turn
from pdp.store.pressure import Pressure

MAX_PENDING = 100
"""A caller's approvals that wait at a time for one person; soft: calls in one moment may go past it by their number.

It counts by caller and person together, so that requests in a stranger's name take nothing from the stranger, and one
user of an agent takes nothing from the others.
"""
MAX_PENDING_OF_CALLER = 1_000
"""A caller's approvals that wait at a time in all: ten people at their limit, and more than a team reviews in a day."""
DENIED_FOR = timedelta(minutes=10)
"""How long the same request of the same caller is denied again without asking people."""


class ReviewIndividually(PdpError):
    """A requirement that the reviewer fits is `individual`: this approval must be reviewed alone."""

    code = "FAILED_PRECONDITION"
    reason = "REVIEW_INDIVIDUALLY"


class ReviewTooSoon(PdpError):
    """The person gave another review of an `individual` approval less than `individual_every` ago."""

    code = "RESOURCE_EXHAUSTED"
    reason = "REVIEW_TOO_SOON"


class ReviewLimits:
    """How much people are asked, and what they denied a short while ago."""

    def __init__(self, approvals: Approvals, pressure: Pressure, person_types: frozenset[str], sealer: Sealer) -> None:
        self._approvals, self._pressure, self._person_types = approvals, pressure, person_types
        self._sealer = sealer

    async def denial(self, caller: str, digest: str) -> ApprovalAt | None:
        """The approval that this very request was denied with lately, unless its reviewer took that back."""
        denied = await self._pressure.denied(caller, digest, DENIED_FOR)
        return next((one for one in denied if not self._sealer.was_taken_back(one.approval)), None)

    async def admit(self, caller: str, digest: str, request: bytes) -> None:
        """Raise `TooManyPending` where enough waits already, unless it is this very request that waits.

        A request that names no person counts with all that the caller asked for.
        """
        persons = [name for name in named(request) if is_person(name, self._person_types)]
        most = MAX_PENDING_OF_CALLER if persons else MAX_PENDING
        pending, alike = await asyncio.gather(
            self._pressure.pending(caller, most), self._pressure.pending_for(caller, persons, MAX_PENDING)
        )
        whose = ""
        if alike >= MAX_PENDING:
            whose = f"{MAX_PENDING} approvals of this caller in the name of a person whom the request names"
        elif pending >= most:
            whose = f"{most:,} approvals of this caller"
        if whose and await self._approvals.pending(caller, digest) is None:
            raise TooManyPending(
                f"{whose} wait for reviewers; have some of them reviewed, or cancel what is no longer needed, "
                "and ask again"
            )


def denied_again(verdict: Verdict, denial: Approval) -> Verdict:
    """The deny of a request that was denied a moment ago."""
    return verdict.denied(
        "pdp.recently_denied",
        f"a reviewer denied this very request ({denial.id}); it is denied without asking people until "
        f"{_over(denial):%Y-%m-%dT%H:%M:%SZ}: change the request, or wait",
    )


def denied_until(approval: Approval) -> datetime | None:
    """Until when the same request is denied again; None for an approval that no reviewer denied, or by mistake."""
    if approval.state is not State.DENIED or approval.closed_at is None or approval.taken_back:
        return None
    return _over(approval)


def _over(denial: Approval) -> datetime:
    return (denial.closed_at or denial.created_at) + DENIED_FOR


def refuse_together(approval: Approval, fits: Iterable[int]) -> None:
    """Raise `ReviewIndividually` where one of the requirements that a reviewer fits wants each looked at alone."""
    rules = sorted(requirement.rule for requirement in _individual(approval, fits))
    if rules:
        raise ReviewIndividually(f"{rules[0]} is reviewed individually; show this approval and review it by itself")


def turn_of(approval: Approval, reviewer: Eligibility, verdict: ReviewVerdict) -> Turn | None:
    """The reviewer's turn, where a requirement that it fits is individual. A no comes at any time, and counts."""
    every_ms = max((one.individual_every_ms for one in _individual(approval, reviewer.fits)), default=0)
    if not every_ms:
        return None
    return Turn(reviewer.person, every_ms if verdict is ReviewVerdict.APPROVE else 0)


def too_soon(turn: Turn) -> ReviewTooSoon:
    """What a reviewer is told who approves individual requests faster than the policy lets people."""
    seconds = turn.every_ms / 1000
    return ReviewTooSoon(
        f"the policy wants each of these read by itself, so a person approves one in {seconds:g} s; read this one, and "
        "approve it then",
        seconds,
    )


def _individual(approval: Approval, fits: Iterable[int]) -> Iterator[Requirement]:
    return (approval.requirements[index] for index in fits if approval.requirements[index].individual)
