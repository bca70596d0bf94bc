"""Shows a reviewer what is known of the data: which columns carry which tags, and what came since it was asked."""

from collections.abc import Iterator, Sequence

from pdp.v1.approval_pb2 import ApprovalLineage
from pdp.visible import name, visible

_STATES = {
    "UNKNOWN": "no dataset is known by this name, so what is in it is unknown",
    "AMBIGUOUS": "too many datasets fit this name, so it is not known what is in it",
}


def lines(shown: ApprovalLineage) -> Iterator[str]:
    """A line for the data and each column that carries tags; `+` marks tags that came since the approval was opened."""
    state = _STATES.get(shown.state)
    names = (f"{visible(one.namespace)} {visible(one.name)}" for one in shown.datasets)
    yield f"data          {state or ', '.join(names)}"
    if shown.tags:
        yield f"carries       {_tags(shown.tags, shown.new_tags)}"
    elif not state:
        yield "carries       no tags"
    for column in shown.columns:
        yield f"  column {name(column.name)}: {_tags(column.tags, column.new_tags)}"
    if shown.truncated:
        yield "  its columns are too many to show; `pdp lineage show` has them"
    if shown.coarse:
        yield "  some of these tags came through steps of which no columns are known"


def _tags(tags: Sequence[str], new: Sequence[str]) -> str:
    return ", ".join(f"+{visible(tag)} (new)" if tag in new else visible(tag) for tag in tags)
