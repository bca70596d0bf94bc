"""What one person is shown of an approval in a chat, line by line, in the model's order. Pure.

What differs for people differs here: each item has a line with its label and its text.
"""

from collections.abc import Iterator, Sequence

from pdp.channels.line import Line, moment
from pdp.channels.notice import said
from pdp.view.data import Data, Outlook, Tag
from pdp.view.request import Item, Named
from pdp.view.shown import Compared, Shown
from pdp.visible import foreign, name, visible

_NOTHING_KNOWN = {"OFF", "NONE", ""}
"""States of data of which there is nothing to show."""


def head(identity: str, note: str = "") -> Iterator[Line]:
    """As whom one acts, and why a view is shown once more."""
    yield _noted(Line("You act as", name(identity)))
    if note:
        yield Line("Note", visible(note))


def whole(shown: Shown) -> Iterator[Line]:
    """All of it."""
    yield from request(shown)
    yield from around(shown)


def request(shown: Shown) -> Iterator[Line]:
    """The request, and what is known of its data."""
    yield from map(_noted, map(_item, shown.request))
    yield from map(_noted, _data(shown.data))


def around(shown: Shown) -> Iterator[Line]:
    """Who is asked and has reviewed, and the requester's own words."""
    yield from map(_noted, _changed(shown.sent_back))
    yield from map(_noted, _needs(shown))
    yield from map(_noted, _words(shown))


def brief(shown: Shown) -> Iterator[Line]:
    """As much as a notice says."""
    does = next(item for item in shown.request if isinstance(item, Named) and item.path == "action")
    resource = next(item for item in shown.request if isinstance(item, Named) and item.path == "resource")
    kind = resource.type.text if resource.type else ""
    yield Line("wants to", f"{said(does.id.text)} ({said(kind)})")
    yield Line("asked by", said(shown.asked_by.text))
    yield Line("state", shown.state)


def _item(item: Item) -> Line:
    return Line(item.part if isinstance(item, Named) else item.label, item.text)


def _data(known: Data | None) -> Iterator[Line]:
    if known is None or known.state.text in _NOTHING_KNOWN:
        return
    if known.state.text != "KNOWN":
        yield Line("data", known.sentence or known.state.visible)
    for dataset in known.datasets:
        yield Line("dataset", f"{dataset.namespace.visible} {dataset.name.visible}")
    yield Line("tags", _tags(known.tags))
    for column in known.columns:
        done = f", {column.mask.done} {column.mask.mask.visible}" if column.mask else ""
        yield Line(f"column {column.name.name}", f"{_tags(column.tags)}{done}")
    if known.is_coarse:
        yield Line("", "some of it is known of whole datasets only")
    if known.forecast and known.forecast.outlook is not Outlook.UNKNOWN:
        yield Line("masking", known.forecast.outlook)


def _changed(sent_back: Compared | None) -> Iterator[Line]:
    """What is new since a request was sent back. Values of that one stay on its page, as its policy may want it."""
    if sent_back is None:
        return
    yield Line("it answers", f"{sent_back.approval_id.name}, which was sent back")
    for one in sent_back.differences:
        item = _item(one.item)
        yield Line("new" if one.is_new else "gone", f"{item.label}{f' = {item.text}' if one.is_new else ''}")
    if not sent_back.differences:
        yield Line("", "nothing differs from it")


def _needs(shown: Shown) -> Iterator[Line]:
    for one in shown.needs:
        yield Line("approvals", f"{one.approved} of {one.people}: {one.reason.visible}  [{one.rule.visible}]")
    for review in shown.reviews:
        yield Line("reviewed", f"{review.verdict} by {review.reviewer.name} in {review.channel}")
    if shown.ends_at:
        yield Line("until", moment(shown.ends_at))
    yield Line("asked by", shown.asked_by.name)


def _words(shown: Shown) -> Iterator[Line]:
    if shown.words.justification:
        yield Line("the requester's own words (untrusted)")
        for text in shown.words.justification.lines:
            yield Line("", text.visible or " ", is_quote=True)


def _noted(line: Line) -> Line:
    """The line with a note of what is not ASCII in it: it may look like something else."""
    note = foreign(f"{line.label} {line.text}")
    return line._replace(text=f"{line.text}  ({note})") if note else line


def _tags(tags: Sequence[Tag]) -> str:
    return ", ".join(f"{tag.text.name}{' (new)' * tag.is_new}" for tag in tags) or "none"
