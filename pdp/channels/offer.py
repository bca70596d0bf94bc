"""What a view in a chat offers one person: all of a request and a verdict, or why not and the way to the page. Pure.

The request is shown as a whole or not at all, and Approve is offered only with all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pdp.channel import Channel
from pdp.channels.view_lines import around, request
from pdp.requirement import Requirement
from pdp.view.leaf import Leaf
from pdp.view.request import Item
from pdp.view.shown import Shown

MAX_LEAVES, MAX_LEAF, MAX_ALL = 60, 1000, 6000
"""Leaves of a request, characters of each, and characters of all that is shown of request and data together."""
MAX_VIEW = 10_000
"""Characters of everything in a view; Slack refuses a few thousand more."""
MAX_REASON = 2000
"""Characters of a reviewer's reason."""
_ELSEWHERE = "the policy does not let people approve it in this chat, so it is not shown here; review it on the page"
_PASSKEY = "your approval needs your passkey, which signs on the page"
_TOO_LARGE = "it is too long to be shown here as a whole; review it on the page"
_UNMASKING = "what it would unmask is shown on the page; review it there"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a view offers: whether all of the request is shown, whether a yes or a no is taken, and why not."""

    whole: bool
    yes: bool
    no: bool
    why: str = ""

    def verdicts(self, *, only_no: bool = False) -> tuple[str, ...]:
        """The verdicts that a view takes, and no others. With `only_no` a denial alone."""
        return (*("APPROVE",) * (self.yes and not only_no), *("DENY",) * self.no)


TOO_LARGE = Offer(whole=False, yes=False, no=True, why=_TOO_LARGE)
"""What is offered where all of it does not fit."""


def offer(shown: Shown, asked: Sequence[Requirement], channel: Channel) -> Offer:
    """What one person is offered of whom these requirements ask."""
    if shown.you is not None and not shown.you.may:
        late = shown.state == "APPROVED" and shown.you.reason.text == "APPROVAL_NOT_PENDING"
        return Offer(whole=False, yes=False, no=late, why=shown.you.because.text)
    if not asked or any(channel not in one.channels for one in asked):
        return Offer(whole=False, yes=False, no=True, why=_ELSEWHERE)
    if shown.unmasking is not None:
        return Offer(whole=False, yes=False, no=True, why=_UNMASKING)
    if not _fits(shown):
        return TOO_LARGE
    if any(one.passkey for one in asked):
        return Offer(whole=True, yes=False, no=True, why=_PASSKEY)
    return Offer(whole=True, yes=True, no=True)


def _fits(shown: Shown) -> bool:
    """Whether all of it can be shown in a view."""
    leaves = sum(isinstance(item, Leaf) for item in shown.request)
    size = sum(line.size for line in request(shown))
    return (
        leaves <= MAX_LEAVES
        and all(_length(item) <= MAX_LEAF for item in shown.request)
        and not (shown.data is not None and shown.data.is_truncated)
        and size <= MAX_ALL
        and size + sum(line.size for line in around(shown)) <= MAX_VIEW
    )


def _length(item: Item) -> int:
    """Characters of what is shown of an item, without our quotes."""
    if isinstance(item, Leaf) and not isinstance(item.value, str):
        return max(len(item.value.visible), len(item.label))
    return max(len(item.text) - 2, len(item.label) if isinstance(item, Leaf) else 0)
