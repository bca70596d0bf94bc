"""What a notice says in a chat, line by line. Pure."""

from collections.abc import Iterator

from pdp.channels.line import Line, moment
from pdp.channels.notice import Aim, Ending, Message, Note, Notice

_SAYS = {Aim.ASK: "A request waits for review", Aim.REMIND: "A request still waits for review"}
_OVER = "A request for review has ended"
_VERDICTS = {"APPROVE": "yes", "DENY": "no", "CHANGES_REQUESTED": "sent back"}


def fallback(message: Message) -> str:
    """What a phone shows of it: a sentence of ours, without a word of anybody else."""
    if isinstance(message, Note):
        return "A message from Placet"
    return _SAYS.get(message.aim, _OVER) if message.is_open else _OVER


def takes_clicks(message: Message) -> bool:
    """Whether it has buttons beside the one that opens the page."""
    return isinstance(message, Notice) and message.is_open and message.aim is not Aim.END


def lines(message: Message) -> Iterator[Line]:
    """The lines of a message."""
    if isinstance(message, Note):
        yield Line("", message.sentence)
        return
    yield Line(fallback(message))
    yield Line("wants to", f"{message.action} ({message.resource_type})")
    yield Line("asked by", message.caller)
    for part in message.progress:
        yield Line("approvals", f"{part.approved} of {part.needed}  [{part.rule}]")
    for review in message.reviews:
        verdict = _VERDICTS.get(review.verdict, review.verdict)
        yield Line(verdict, f"by {review.who} in {review.channel}")
    yield Line("state", _state(message))
    if message.ends_at:
        yield Line("until", moment(message.ends_at))
    if message.ending:
        yield from _ending(message.ending)


def _state(notice: Notice) -> str:
    by = f", ended by {notice.ended_by}" if notice.ended_by else ""
    return f"{notice.state}, {notice.approved} of {notice.needed}{by}"


def _ending(ending: Ending) -> Iterator[Line]:
    if ending.words:
        yield Line("in their words (untrusted)")
        yield Line("", ending.words, is_quote=True)
    if ending.usable_until:
        yield Line("may be used until", moment(ending.usable_until))
    if ending.denied_until:
        yield Line("the same request is denied until", moment(ending.denied_until))
    if ending.again:
        yield Line("", ending.again)
