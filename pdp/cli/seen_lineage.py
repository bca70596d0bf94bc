"""Shows a reviewer what is known of the data: which columns carry which tags, what is new, and what masks will do."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pdp.v1.approval_pb2 import ApprovalLineage, TagOrigin
from pdp.view.data import Column, Data, Done, Forecast, Mask, Outlook, Tag, carried
from pdp.view.theirs import Theirs

SHOWN = 20
"""Columns that are shown where not all are asked for: as many as one looks at."""


def lines(shown: Data, most: int | None = SHOWN) -> Iterator[str]:
    """A line for the data and each column, at most so many (None is all of them); `+` marks tags that are new."""
    yield from _data(shown)
    if shown.forecast:
        yield f"masking       {_outlook(shown.forecast)}"
    yield from _columns(shown.columns, most)
    if shown.is_truncated:
        yield "  its columns are too many to show; `pdp lineage show` has them"
    if shown.is_coarse:
        yield "  some of these tags came through steps of which no columns are known"


def brief(shown: ApprovalLineage, came: Sequence[TagOrigin] = ()) -> str:
    """A few tags for a list, a count of others, and the data where they began."""
    found = carried(shown, came)
    more = [f"{found.more_tags} more"] if found.more_tags else []
    tags = ", ".join([*(f"+{tag.text.visible}" if tag.is_new else tag.text.visible for tag in found.tags), *more])
    begins = ", ".join(name.visible for name in found.begins)
    return tags + (f" from {begins}{', …' if found.more_begins else ''}" if begins else "")


def _data(shown: Data) -> Iterator[str]:
    known = ", ".join(f"{one.namespace.visible} {one.name.visible}" for one in shown.datasets)
    yield f"data          {shown.sentence or known}"
    if shown.tags:
        yield f"carries       {_tags(shown.tags)}"
    elif not shown.sentence:
        yield "carries       no tags"


def _outlook(foreseen: Forecast) -> str:
    """Whether it must leave masked, or why that is not known."""
    if foreseen.outlook is Outlook.UNKNOWN:
        return foreseen.sentence
    rules = ", ".join(rule.visible for rule in foreseen.required_by)
    policy = Theirs(foreseen.policy.text[:12]).visible
    return f"{foreseen.sentence}{f' [{rules}]' if rules else ''}, by policy {policy} and the tags of now"


def _columns(columns: Sequence[Column], most: int | None) -> Iterator[str]:
    for column in columns[:most]:
        mask = f" -> {_mask(column.mask)}" if column.mask else ""
        yield f"  column {column.name.name}: {_tags(column.tags) or 'no tags'}{mask}"
    if rest := columns[len(columns) if most is None else most :]:
        yield f"  and {len(rest):,} columns more (`pdp approvals show ID --all` has each):"
        yield from _counted(rest)


def _counted(rest: Sequence[Column]) -> Iterator[str]:
    """How many columns carry which tags and get which mask, the most first."""
    kinds = Counter((_tags(one.tags) or "no tags", _mask(one.mask, brief=True) if one.mask else "") for one in rest)
    for (tags, mask), count in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]:
        yield f"    {count:,} with {tags}{f' -> {mask}' if mask else ''}"
    if len(kinds) > SHOWN:
        yield f"    {sum(sorted(kinds.values())[:-SHOWN]):,} with others"


def _mask(mask: Mask, *, brief: bool = False) -> str:
    """What becomes of a column; what lets it through says so as plainly."""
    if mask.done is Done.UNFIT:
        return "no mask fits, so it cannot be masked" + ("" if brief else f": {mask.problem.visible}")
    if mask.done is Done.BY_PARTS:
        return "masked by the columns in it"
    done = "clear: leaves as it is" if mask.done is Done.CLEAR else f"masked: {mask.mask.visible}"
    domain = f" in domain {mask.domain.visible}" if mask.domain else ""
    return done + domain + ("" if brief else f"  [{mask.rule.visible}]")


def _tags(tags: Sequence[Tag]) -> str:
    return ", ".join(f"+{tag.text.visible} (new)" if tag.is_new else tag.text.visible for tag in tags)
