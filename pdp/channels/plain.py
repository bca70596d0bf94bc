"""A message as plain text: a subject, and lines with at most one link. Pure.

Programs that show mails make links of addresses in a text. So `://` and `www.` in words of others have an escape in
them, as `visible` writes hidden characters.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pdp.channels.notice import Aim, Ending, Message, Note, Notice, Part, Reviewed

_SUBJECTS: Mapping[Aim, str] = {
    Aim.ASK: "Your review is asked for",
    Aim.REMIND: "A request still waits for your review",
    Aim.END: "A request of yours: {state}",
}
_VERDICTS = {"APPROVE": "approved", "DENY": "denied", "CHANGES_REQUESTED": "asked for changes"}
_LINKED = re.compile(r"(?<=:)/(?=/)|(?<=\bwww)\.", re.IGNORECASE)
"""The one character of a word without which it is not taken for an address."""


def subject(message: Message) -> str:
    """One line without a word of others."""
    if isinstance(message, Note):
        return "A message from Placet"
    return _SUBJECTS[message.aim].format(state=message.state)


def text(message: Message) -> str:
    """The lines. The last one is the link, where there are pages."""
    if isinstance(message, Note):
        return "\n\n".join(filter(None, [message.sentence, message.page])) + "\n"
    lines = [*_asked(message), *_stand(message), *(_ending(message.ending) if message.ending else ())]
    return "\n".join([*map(_unlinked, lines), *_link(message)]) + "\n"


def _asked(notice: Notice) -> Iterator[str]:
    yield f"{notice.caller} wants to: {notice.action} ({notice.resource_type})"
    yield f"Approval: {notice.approval_id}"
    yield ""


def _stand(notice: Notice) -> Iterator[str]:
    by = f" by {notice.ended_by}" if notice.ended_by else ""
    yield f"State: {notice.state}{by}, {notice.approved} of {notice.needed} approvals"
    yield from map(_part, notice.progress)
    yield from map(_review, notice.reviews)
    if notice.ends_at:
        yield f"Until: {moment(notice.ends_at)}"


def _part(part: Part) -> str:
    return f"  {part.rule}: {part.approved} of {part.needed}"


def _review(one: Reviewed) -> str:
    return f"  {_VERDICTS.get(one.verdict, one.verdict)} by {one.who} in {one.channel}"


def _ending(ending: Ending) -> Iterator[str]:
    if ending.usable_until:
        yield f"It may be used until {moment(ending.usable_until)}."
    if ending.denied_until:
        yield f"The same request stays denied until {moment(ending.denied_until)}."
    if ending.words:
        yield "Their words, which nobody has checked:"
        yield f"  > {ending.words}"
    yield ""
    yield ending.again


def _unlinked(line: str) -> str:
    return _LINKED.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", line)


def _link(notice: Notice) -> Iterator[str]:
    if notice.page:
        yield ""
        yield "To see all of it, log in:" if notice.is_open else "All of it, behind your login:"
        yield notice.page


def moment(at: datetime) -> str:
    """A time for people in any zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
