"""In which requirements a yes counts, by where it came from, and by the passkey that signed it."""

from collections.abc import Collection, Sequence

from pdp.approval import (
    Approval,
)
from pdp.channel import Channel
from pdp.quorum import (
    Eligibility,
    approvals_per_requirement,
    approvers,
    counting,
)
from pdp.requirement import Requirement
from pdp.verdict_errors import ChannelNotAllowed, PasskeyRequired, at


def counted(
    approval: Approval,
    reviewer: Eligibility,
    principals: Collection[str],
    channel: Channel,
    *,
    passkey: bool,
    page: str = "",
) -> tuple[int, ...]:
    """Those of the requirements that the reviewer fits in which this yes counts: one of the open ones at least.

    Raises `ChannelNotAllowed` and `PasskeyRequired`, with the `page` where the yes can be given.
    """
    fits = asked(approval, reviewer, principals)
    wanted = [approval.requirements[index] for index in fits]
    if counting(approval.requirements, fits, channel, passkey=passkey):
        return tuple(counting(approval.requirements, reviewer.fits, channel, passkey=passkey))
    if any(channel in requirement.channels for requirement in wanted):
        raise at(page, PasskeyRequired(f"{_rules(wanted)} counts a yes only with your passkey"))
    sentence = f"{_rules(wanted)} counts no yes that comes by {channel}, only one by {_channels(wanted)}"
    raise at(page, ChannelNotAllowed(f"{sentence}; a no counts from anywhere"))


def asked(approval: Approval, reviewer: Eligibility, principals: Collection[str]) -> list[int]:
    """The requirements that this reviewer fits and that still lack people; all that it fits if none does."""
    have = approvals_per_requirement(approval.requirements, approvers(approval), principals)
    lacking = [index for index in reviewer.fits if have[index] < approval.requirements[index].count]
    return lacking or list(reviewer.fits)


def _rules(requirements: Sequence[Requirement]) -> str:
    return ", ".join(sorted({requirement.rule for requirement in requirements}))


def _channels(requirements: Sequence[Requirement]) -> str:
    return " or ".join(channel for channel in Channel if any(channel in one.channels for one in requirements))
