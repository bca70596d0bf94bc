"""What one person is shown of an approval in a modal: all of it, or why not and the way to the page. Pure.

1. The request is shown as a whole or not at all, and Approve is offered only with all of it.
2. What differs for people differs here: each item has a line with its label and its text, in the model's order.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pdp.channel import Channel
from pdp.channels.notice import said
from pdp.channels.slack.blocks import MAX_URL, Block, actions, button, choice, field, line, modal, quote, rich
from pdp.channels.slack.notices import OPEN, moment
from pdp.requirement import Requirement
from pdp.view.data import Data, Outlook, Tag
from pdp.view.leaf import Leaf
from pdp.view.request import Item, Named
from pdp.view.shown import Shown
from pdp.visible import name, noted, visible

MAX_LEAVES, MAX_LEAF, MAX_ALL = 60, 1000, 6000
"""Leaves of a request, characters of each, and characters of all that is shown of request and data together."""
MAX_MODAL = 10_000
"""Characters of everything in a modal; Slack refuses a few thousand more."""
MAX_REASON = 2000
"""Characters of a reviewer's reason."""
TITLE = "Review a request"
NOTHING_KNOWN = {"OFF", "NONE", ""}
"""States of data of which there is nothing to show."""
_ELSEWHERE = "in chat this policy takes no yes and shows nothing of the request; review it on the page"
_PASSKEY = "a yes counts only with your passkey, which signs on the page"
_TOO_LARGE = "it is too long to be shown here as a whole; review it on the page"
_UNMASKING = "what it would unmask is shown on the page; review it there"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a view offers: whether all of the request is shown, whether a yes is taken, and why not."""

    whole: bool
    yes: bool
    no: bool
    why: str = ""


def offer(shown: Shown, asked: Sequence[Requirement], channel: Channel = Channel.SLACK) -> Offer:
    """What one person is offered of whom these requirements ask."""
    if shown.you is not None and not shown.you.may:
        late = shown.state == "APPROVED" and shown.you.reason.text == "APPROVAL_NOT_PENDING"
        return Offer(whole=False, yes=False, no=late, why=shown.you.because.text)
    if not asked or any(channel not in one.channels for one in asked):
        return Offer(whole=False, yes=False, no=True, why=_ELSEWHERE)
    if shown.unmasking is not None:
        return Offer(whole=False, yes=False, no=True, why=_UNMASKING)
    if not fits(shown):
        return Offer(whole=False, yes=False, no=True, why=_TOO_LARGE)
    if any(one.passkey for one in asked):
        return Offer(whole=True, yes=False, no=True, why=_PASSKEY)
    return Offer(whole=True, yes=True, no=True)


def fits(shown: Shown) -> bool:
    """Whether all of it can be shown in a modal."""
    leaves = sum(isinstance(item, Leaf) for item in shown.request)
    lines = [*map(_item, shown.request), *_data(shown.data)]
    further = [*_needs(shown), *_words(shown)]
    size = sum(map(_size, lines))
    return (
        leaves <= MAX_LEAVES
        and all(_length(item) <= MAX_LEAF for item in shown.request)
        and not (shown.data is not None and shown.data.is_truncated)
        and size <= MAX_ALL
        and size + sum(map(_size, further)) <= MAX_MODAL
    )


def view(shown: Shown, offered: Offer, identity: str, token: str, *, note: str = "", only_no: bool = False) -> Block:
    """The modal of a person. `note` is why it is shown once more; `only_no` leaves out what is no denial."""
    head = [line("You act as", noted(name(identity))), *([line("Note", visible(note))] if note else [])]
    lines = list(_whole(shown) if offered.whole else _brief(shown))
    tail = [line("No yes here", visible(offered.why))] if offered.why else []
    page = shown.page.text if shown.page and len(shown.page.text) <= MAX_URL else ""
    links = [button(OPEN, "Open the page", url=page)] if page else []
    body = [*rich("head", head), *rich("request", lines), *rich("why", tail), *actions("links", links)]
    yes = offered.yes and not only_no
    if not (yes or offered.no):
        return modal(TITLE, body)
    verdicts = [*([("APPROVE", "Approve")] if yes else []), ("DENY", "Deny")]
    asked = [choice("verdict", "Your verdict", verdicts), field("reason", "Reason", MAX_REASON)]
    metadata = json.dumps({"approval": shown.approval_id.text, "token": token})
    return modal(TITLE, [*body, *asked], metadata=metadata, submit="Send")


def sentence(text: str, page: str = "") -> Block:
    """A modal that says something and asks nothing."""
    links = [button(OPEN, "Open the page", url=page)] if 0 < len(page) <= MAX_URL else []
    return modal(TITLE, [*rich("head", [line("", visible(text))]), *actions("links", links)])


def _whole(shown: Shown) -> Iterator[Block]:
    yield from map(_item, shown.request)
    yield from _data(shown.data)
    yield from _needs(shown)
    yield from _words(shown)


def _brief(shown: Shown) -> Iterator[Block]:
    """As much as a notice says."""
    does = next(item for item in shown.request if isinstance(item, Named) and item.path == "action")
    resource = next(item for item in shown.request if isinstance(item, Named) and item.path == "resource")
    kind = resource.type.text if resource.type else ""
    yield line("wants to", f"{said(does.id.text)} a {said(kind)}")
    yield line("asked by", said(shown.asked_by.text))
    yield line("state", shown.state)


def _item(item: Item) -> Block:
    label = item.part if isinstance(item, Named) else item.label
    return line(label, noted(item.text))


def _data(known: Data | None) -> Iterator[Block]:
    if known is None or known.state.text in NOTHING_KNOWN:
        return
    yield line("what is known of its data", known.state.visible)
    for dataset in known.datasets:
        yield line("dataset", noted(f"{dataset.namespace.visible} {dataset.name.visible}"))
    yield line("tags", _tags(known.tags))
    for column in known.columns:
        done = f", {column.mask.done} {column.mask.mask.visible}" if column.mask else ""
        yield line(f"column {column.name.name}", f"{_tags(column.tags)}{done}")
    if known.is_coarse:
        yield line("", "some of it is known of whole datasets only")
    if known.forecast and known.forecast.outlook is not Outlook.UNKNOWN:
        yield line("leaves", known.forecast.outlook)


def _needs(shown: Shown) -> Iterator[Block]:
    for one in shown.needs:
        yield line("needs", noted(f"{one.people}, so far {one.approved}: {one.reason.visible}  [{one.rule.visible}]"))
    for review in shown.reviews:
        yield line("reviewed", f"{review.verdict} by {review.reviewer.name} in {review.channel}")
    if shown.ends_at:
        yield line("until", moment(shown.ends_at))
    yield line("asked by", noted(shown.asked_by.name))


def _words(shown: Shown) -> Iterator[Block]:
    if shown.words.justification:
        yield line("the requester's own words (untrusted)")
        for text in shown.words.justification.lines:
            yield quote(noted(text.visible) or " ")


def _tags(tags: Sequence[Tag]) -> str:
    return ", ".join(f"{tag.text.name}{' (new)' * tag.is_new}" for tag in tags) or "none"


def _length(item: Item) -> int:
    """Characters of what is shown of an item, without our quotes."""
    if isinstance(item, Leaf) and not isinstance(item.value, str):
        return max(len(item.value.visible), len(item.label))
    return max(len(item.text) - 2, len(item.label) if isinstance(item, Leaf) else 0)


def _size(part: Block) -> int:
    return sum(len(run["text"]) for run in part["elements"])
