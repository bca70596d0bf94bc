"""Shows a reviewer what is known of the data: which columns carry which tags, what is new, and what masks will do."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pdp.lineage.fact import MASKED
from pdp.lineage.tag import sensitivity
from pdp.v1.approval_pb2 import (
    ApprovalColumn,
    ApprovalLineage,
    ColumnForecast,
    GetApprovalResponse,
    MaskForecast,
    TagOrigin,
)
from pdp.visible import name, visible

SHOWN = 20
"""Columns that are shown where not all are asked for: as many as one looks at."""
IN_LIST = 3
"""Tags of an approval in a list, and datasets."""
_STATES = {
    "UNKNOWN": "no dataset is known by this name, so what is in it is unknown",
    "AMBIGUOUS": "too many datasets fit this name, so it has the tags of all of them",
}
_NOT_FORESEEN = {
    "OFF": "this server does not mask",
    "UNKNOWN": "its columns are not known, so neither are their masks",
    "TOO_WIDE": "it has more columns than can be masked at a time",
    "FAILED": "the policy did not say which masks its columns get",
}
_MASKS = ("mask", "rewrap")
"""Actions that are a masking themselves."""


def lines(shown: ApprovalLineage) -> Iterator[str]:
    """A line for the data and each column that carries tags; `+` marks tags that came since the approval was opened."""
    yield from _data(shown)
    yield from _columns(shown, {}, None)
    yield from _notes(shown)


def whole(answer: GetApprovalResponse, most: int | None = SHOWN) -> Iterator[str]:
    """The same with the mask of each column, the most sensitive first, at most so many; None is all of them."""
    shown = answer.approval.lineage
    yield from _data(shown)
    masks = {one.name: one for one in answer.mask_forecast.columns}
    if answer.HasField("mask_forecast"):
        yield f"masking       {_outlook(answer.mask_forecast, answer.approval.request.action.name)}"
    yield from _columns(shown, masks, most)
    yield from _notes(shown)


def brief(shown: ApprovalLineage, origins: Sequence[TagOrigin] = ()) -> str:
    """A few tags for a list: new ones first, masked ones last, a count of others, and the data where they began."""
    ordered = sorted(shown.tags, key=lambda tag: (tag not in shown.new_tags, tag.endswith(MASKED), tag))
    tags = [f"+{visible(tag)}" if tag in shown.new_tags else visible(tag) for tag in ordered[:IN_LIST]]
    more = [f"{len(ordered) - IN_LIST} more"] if len(ordered) > IN_LIST else []
    begins = dict.fromkeys(visible(said.dataset.name) for one in origins for said in one.said)
    source = f" from {', '.join([*begins][:IN_LIST])}{', …' if len(begins) > IN_LIST else ''}" if begins else ""
    return ", ".join([*tags, *more]) + source


def _data(shown: ApprovalLineage) -> Iterator[str]:
    state = _STATES.get(shown.state)
    names = (f"{visible(one.namespace)} {visible(one.name)}" for one in shown.datasets)
    yield f"data          {state or ', '.join(names)}"
    if shown.tags:
        yield f"carries       {_tags(shown.tags, shown.new_tags)}"
    elif not state:
        yield "carries       no tags"


def _notes(shown: ApprovalLineage) -> Iterator[str]:
    if shown.truncated:
        yield "  its columns are too many to show; `pdp lineage show` has them"
    if shown.coarse:
        yield "  some of these tags came through steps of which no columns are known"


def _outlook(foreseen: MaskForecast, action: str) -> str:
    """Whether it must leave masked, or why that is not known."""
    if foreseen.state != "FORESEEN":
        return _NOT_FORESEEN.get(foreseen.state, visible(foreseen.state))
    policy = f"by policy {visible(foreseen.policy_revision[:12])} and the tags of now"
    if action in _MASKS:
        return f"it leaves as said below, {policy}"
    if foreseen.required_by:
        return f"it must leave masked [{', '.join(map(visible, foreseen.required_by))}], as said below, {policy}"
    return f"no rule says that it must leave masked; a mask would do what is said below, {policy}"


def _columns(shown: ApprovalLineage, masks: Mapping[str, ColumnForecast], most: int | None) -> Iterator[str]:
    tagged = {column.name: column for column in shown.columns}
    named = [tagged.get(one) or ApprovalColumn(name=one) for one in {**tagged, **masks}]
    ordered = sorted(named, key=lambda one: (_sensitivity(one, masks.get(one.name)), one.name))
    for column in ordered[:most]:
        mask = f" -> {_mask(masks[column.name])}" if column.name in masks else ""
        yield f"  column {name(column.name)}: {_tags(column.tags, column.new_tags) or 'no tags'}{mask}"
    if rest := ordered[len(ordered) if most is None else most :]:
        yield f"  and {len(rest):,} columns more (`pdp approvals show ID --all` has each):"
        yield from _counted(rest, masks)


def _sensitivity(column: ApprovalColumn, mask: ColumnForecast | None) -> tuple[int, ...]:
    """As `sensitivity`; of equal ones those that leave as they are come first."""
    return (*sensitivity(column.tags, column.new_tags), not (mask and mask.mask == "clear" and column.tags))


def _counted(rest: Sequence[ApprovalColumn], masks: Mapping[str, ColumnForecast]) -> Iterator[str]:
    """How many columns carry which tags and get which mask, the most first."""
    kinds = Counter(
        (_tags(one.tags, one.new_tags) or "no tags", _mask(masks[one.name], brief=True) if one.name in masks else "")
        for one in rest
    )
    for (tags, mask), count in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]:
        yield f"    {count:,} with {tags}{f' -> {mask}' if mask else ''}"
    if len(kinds) > SHOWN:
        yield f"    {sum(sorted(kinds.values())[:-SHOWN]):,} with others"


def _mask(mask: ColumnForecast, *, brief: bool = False) -> str:
    """What becomes of a column; what lets it through says so as plainly."""
    if mask.problem:
        return "no mask fits, so it cannot be masked" + ("" if brief else f": {visible(mask.problem)}")
    if not mask.mask:
        return "masked by the columns in it"
    done = "clear: leaves as it is" if mask.mask == "clear" else f"masked: {visible(mask.mask)}"
    domain = f" in domain {visible(mask.domain)}" if mask.domain else ""
    return done + domain + ("" if brief else f"  [{visible(mask.rule)}]")


def _tags(tags: Sequence[str], new: Sequence[str]) -> str:
    return ", ".join(f"+{visible(tag)} (new)" if tag in new else visible(tag) for tag in tags)
