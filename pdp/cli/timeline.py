"""What happened to an approval, in words."""

from collections.abc import Iterator, Mapping, Sequence

from pdp.cli.tables import moment
from pdp.view.shown import Shown
from pdp.view.timeline import Moment, What

_WORDS: Mapping[What, str] = {
    What.ASKED: "asked",
    What.TOLD: "told",
    What.REMINDED: "reminded",
    What.REVIEWED: "reviewed",
    What.SENT_BACK: "sent back",
    What.USED: "used",
    What.OUTCOME: "outcome",
    What.ENDED: "ended",
    What.DENIAL_TAKEN_BACK: "denial taken back",
    What.OTHER: "something that this version does not know",
}


def lines(shown: Shown) -> Iterator[str]:
    """The timeline, the earlier approvals of the same request, and the page."""
    if shown.timeline:
        yield from ("", "what happened:", *map(_line, shown.timeline))
    if shown.earlier:
        yield f"asked before  {', '.join(one.name for one in shown.earlier)}"
    if shown.page:
        yield f"page          {shown.page.visible}"


def _line(one: Moment) -> str:
    by = "by " if not _is_told(one) else "" if one.told_in else "webhook "
    said = [
        _WORDS[one.what],
        one.result,
        f"{by}{one.who.name}" if one.who else "",
        f"of {one.told_of.name}" if one.told_of else "",
        f"in {one.channel}" if one.channel else "",
        f"in {one.told_in.name}" if one.told_in else "",
        f" [{one.record.visible}]" if one.record else "",
    ]
    return f"  {moment(one.at) if one.at else 'at no known time'}  {_joined(said)}"


def _is_told(one: Moment) -> bool:
    return one.what in (What.TOLD, What.REMINDED)


def _joined(parts: Sequence[str]) -> str:
    return " ".join(filter(None, parts))
