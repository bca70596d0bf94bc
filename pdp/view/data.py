"""What is known of the data of a request: which columns carry which tags, what is new, what masks will do."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from pdp.sensitivity import MASKED, sensitivity
from pdp.v1.approval_pb2 import ApprovalColumn, ApprovalLineage, ColumnForecast, MaskForecast, TagOrigin
from pdp.view.origins import NamedData, dataset
from pdp.view.theirs import Theirs, theirs

IN_LIST = 3
"""Tags of an approval in a list, and datasets."""
_MASKS = ("mask", "rewrap")
"""Actions that are a masking themselves."""


class Tag(NamedTuple):
    """A tag, and whether it came since the approval was opened."""

    text: Theirs
    is_new: bool


class Done(StrEnum):
    """What becomes of a column."""

    MASKED = "masked"
    CLEAR = "clear"
    UNFIT = "no mask fits"
    BY_PARTS = "masked by its parts"


class Mask(NamedTuple):
    """What a mask would do to a column: `mask` names it, and `problem` says why none fits."""

    done: Done
    mask: Theirs
    domain: Theirs
    rule: Theirs
    problem: Theirs


class Column(NamedTuple):
    """A column with its tags, and its mask where that was foreseen."""

    name: Theirs
    tags: tuple[Tag, ...]
    mask: Mask | None


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


class Outlook(StrEnum):
    """Whether what leaves is masked."""

    MASKING = "it is a masking"
    REQUIRED = "it must leave masked"
    FREE = "no rule demands a mask"
    UNKNOWN = "not foreseen"


_OUTLOOKS = {
    Outlook.MASKING: "it leaves as said below",
    Outlook.REQUIRED: "it must leave masked, as said below",
    Outlook.FREE: "no rule says that it must leave masked; a mask would do what is said below",
}


class Forecast(NamedTuple):
    """What masking would do. With UNKNOWN, `state` is the contract's word for why that is not known."""

    outlook: Outlook
    state: Theirs
    required_by: tuple[Theirs, ...]
    policy: Theirs

    @property
    def sentence(self) -> str:
        """What a person is told of it, before what each column gets."""
        if self.outlook is Outlook.UNKNOWN:
            return _NOT_FORESEEN.get(self.state.text, self.state.visible)
        return _OUTLOOKS[self.outlook]


class Data(NamedTuple):
    """What is known of data. The most sensitive columns come first; those without tags are there where masks are known.

    `state` is the contract's word: "KNOWN", or why nothing is known.
    """

    state: Theirs
    datasets: tuple[NamedData, ...]
    tags: tuple[Tag, ...]
    columns: tuple[Column, ...]
    forecast: Forecast | None
    is_coarse: bool
    is_truncated: bool
    digest: Theirs

    @property
    def sentence(self) -> str:
        """What a person is told in place of the datasets; empty where they are known."""
        return _STATES.get(self.state.text, "")


class Carried(NamedTuple):
    """A few of the tags of data, for a list, and the data where they began; and how many there are of each beside."""

    tags: tuple[Tag, ...]
    more_tags: int
    begins: tuple[Theirs, ...]
    more_begins: int


def data(shown: ApprovalLineage, foreseen: MaskForecast | None = None, action: str = "") -> Data:
    """The data that `shown` tells of, for a request to do `action`, and what was foreseen of masks."""
    masks = {one.name: one for one in foreseen.columns} if foreseen else {}
    return Data(
        state=Theirs(shown.state),
        datasets=tuple(map(dataset, shown.datasets)),
        tags=_tags(shown.tags, shown.new_tags),
        columns=_columns(shown, masks),
        forecast=_forecast(foreseen, action) if foreseen else None,
        is_coarse=shown.coarse,
        is_truncated=shown.truncated,
        digest=Theirs(shown.digest),
    )


def carried(shown: ApprovalLineage, came: Sequence[TagOrigin] = ()) -> Carried:
    """New tags come first, masked ones last."""
    ordered = sorted(shown.tags, key=lambda tag: (tag not in shown.new_tags, tag.endswith(MASKED), tag))
    begins = theirs(dict.fromkeys(said.dataset.name for one in came for said in one.said))
    first = _tags(ordered[:IN_LIST], shown.new_tags)
    return Carried(first, len(ordered) - len(first), begins[:IN_LIST], max(len(begins) - IN_LIST, 0))


def _columns(shown: ApprovalLineage, masks: Mapping[str, ColumnForecast]) -> tuple[Column, ...]:
    tagged = {column.name: column for column in shown.columns}
    named = [tagged.get(one) or ApprovalColumn(name=one) for one in {**tagged, **masks}]
    ordered = sorted(named, key=lambda one: (_sensitivity(one, masks.get(one.name)), one.name))
    return tuple(
        Column(Theirs(one.name), _tags(one.tags, one.new_tags), _mask(masks[one.name]) if one.name in masks else None)
        for one in ordered
    )


def _sensitivity(column: ApprovalColumn, mask: ColumnForecast | None) -> tuple[int, ...]:
    """As `sensitivity`; of equal ones those that leave as they are come first."""
    return (*sensitivity(column.tags, column.new_tags), not (mask and mask.mask == "clear" and column.tags))


def _mask(one: ColumnForecast) -> Mask:
    if one.problem:
        done = Done.UNFIT
    elif not one.mask:
        done = Done.BY_PARTS
    else:
        done = Done.CLEAR if one.mask == "clear" else Done.MASKED
    return Mask(done, *theirs((one.mask, one.domain, one.rule, one.problem)))


def _forecast(foreseen: MaskForecast, action: str) -> Forecast:
    if foreseen.state != "FORESEEN":
        outlook = Outlook.UNKNOWN
    elif action in _MASKS:
        outlook = Outlook.MASKING
    else:
        outlook = Outlook.REQUIRED if foreseen.required_by else Outlook.FREE
    return Forecast(outlook, Theirs(foreseen.state), theirs(foreseen.required_by), Theirs(foreseen.policy_revision))


def _tags(tags: Sequence[str], new: Sequence[str]) -> tuple[Tag, ...]:
    return tuple(Tag(Theirs(tag), tag in new) for tag in tags)
