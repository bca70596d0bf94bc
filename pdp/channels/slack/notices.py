"""How a notice looks in Slack: lines without markup, and buttons while it is open. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pdp.channels.notice import Aim, Ending, Message, Note, Notice, said
from pdp.channels.slack.blocks import MAX_URL, Block, actions, button, line, quote, rich

REVIEW, DENY, OPEN = "placet.review", "placet.deny", "placet.open"
"""The action ids of our buttons."""
_SAYS = {Aim.ASK: "A request waits for review", Aim.REMIND: "A request still waits for review"}
_OVER = "A request for review has ended"
_VERDICTS = {"APPROVE": "yes", "DENY": "no", "CHANGES_REQUESTED": "sent back"}


def fallback(message: Message) -> str:
    """What a phone shows of it: a sentence of ours, without a word of anybody else."""
    if isinstance(message, Note):
        return "A word from Placet"
    return _SAYS.get(message.aim, _OVER) if message.is_open else _OVER


def blocks(message: Message) -> list[Block]:
    """The blocks of a message."""
    if isinstance(message, Note):
        return [*rich("note", [line("", message.sentence)]), *actions("links", _open(message.page))]
    asked = [button(REVIEW, "Review", value=message.approval_id, style="primary")]
    asked += [button(DENY, "Deny", value=message.approval_id, style="danger")]
    offered = asked if message.is_open and message.aim is not Aim.END else []
    return [*rich("notice", list(_lines(message))), *actions("actions", [*offered, *_open(message.page)])]


def _lines(notice: Notice) -> Iterator[Block]:
    yield line(fallback(notice))
    yield line("wants to", f"{said(notice.action)} a {said(notice.resource_type)}")
    yield line("asked by", said(notice.caller))
    for part in notice.progress:
        yield line("needs", f"{part.approved} of {part.needed}  [{said(part.rule)}]")
    for review in notice.reviews:
        verdict = _VERDICTS.get(review.verdict, review.verdict)
        yield line(verdict, f"by {said(review.who)} in {said(review.channel)}")
    yield line("state", _state(notice))
    if notice.ends_at:
        yield line("until", moment(notice.ends_at))
    if notice.ending:
        yield from _ending(notice.ending)


def _state(notice: Notice) -> str:
    by = f", ended by {said(notice.ended_by)}" if notice.ended_by else ""
    return f"{notice.state}, {notice.approved} of {notice.needed}{by}"


def _ending(ending: Ending) -> Iterator[Block]:
    if ending.words:
        yield line("in their words (untrusted)")
        yield quote(ending.words)
    if ending.usable_until:
        yield line("may be used until", moment(ending.usable_until))
    if ending.denied_until:
        yield line("is denied again until", moment(ending.denied_until))
    yield line("", ending.again)


def _open(page: str) -> list[Block]:
    return [button(OPEN, "Open", url=page)] if 0 < len(page) <= MAX_URL else []


def moment(at: datetime) -> str:
    """A time as people read it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
