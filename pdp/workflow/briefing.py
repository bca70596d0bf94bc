"""What a reviewer is told of data beside its tags: where they come from, and what masking would do when it leaves.

Both are found when they are shown. Neither is stored, and nothing follows from them.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from pdp.approval import Approval
from pdp.caller import Caller
from pdp.canonical import kind
from pdp.decision import opa_input, verdict
from pdp.errors import PdpError
from pdp.lineage.seen import NOTHING_TO_SHOW, Seen, seen
from pdp.lineage.view import State, View
from pdp.masking.question import (
    MAX_COLUMNS,
    Foreseen,
    columns_named,
    foreseen,
    masks_input,
    names,
    parts,
    tagged,
    whole,
)
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.sensitivity import UNCLASSIFIED, sensitivity
from pdp.workflow.lineage_views import LineageViews
from pdp.workflow.reviewable import ApprovalView

if TYPE_CHECKING:
    from pdp.lineage.explain import Reason

MAX_ORIGINS = 20
"""Pairs of column and tag whose origin is told."""
ORIGIN_SECONDS = 0.5
"""Seconds after which no further origin is looked for: the rest of a call's time is for its other parts."""
UNMASKS = "unmask"
"""The action that takes masks off, so that there is nothing to foresee."""


class Outlook(StrEnum):
    """Whether masks can be foreseen; the names are the contract's."""

    FORESEEN = "FORESEEN"
    OFF = "OFF"
    UNKNOWN = "UNKNOWN"
    TOO_WIDE = "TOO_WIDE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of each column by its name, and the rules by which the data must leave masked."""

    outlook: Outlook
    required_by: Sequence[str] = ()
    columns: Sequence[tuple[str, Any]] = ()
    foreseen: Foreseen = field(default_factory=lambda: Foreseen({}, {}, ""))


@dataclass(frozen=True, slots=True)
class Brief:
    """What is told: the origin of each column and tag, and the masks, where anything leaves that masks could be on."""

    origins: Sequence[tuple[str, str, "Reason"]] = ()
    masks: Masks | None = None


class Briefing:
    """Tells reviewers."""

    def __init__(self, batcher: Batcher, lineage: LineageViews, person_types: frozenset[str], *, masks: bool) -> None:
        """`masks`: whether this server masks."""
        self._batcher, self._lineage, self._person_types, self._masks = batcher, lineage, person_types, masks

    async def brief(self, view: ApprovalView) -> Brief:
        """What a caller who fits a requirement is told."""
        if view.lineage.state in NOTHING_TO_SHOW:
            return Brief()
        approval = view.held.approval
        request = orjson.loads(approval.request)
        origins = await self.origins(view.lineage, request["resource"], seen(approval.lineage))
        if request["action"]["name"] == UNMASKS:
            return Brief(origins)
        return Brief(origins, await self._foreseen(approval, request, view))

    async def origins(self, now: View, resource: dict[str, Any], before: Seen) -> list[tuple[str, str, "Reason"]]:
        """The origins of what is most sensitive, as many as there is time for."""
        told, until = list[tuple[str, str, "Reason"]](), asyncio.get_running_loop().time() + ORIGIN_SECONDS
        for column, tag in carried_first(now, before)[:MAX_ORIGINS]:
            reason = await self._lineage.origin(resource["type"], resource["id"], column, tag)
            if reason is not None:
                told.append((column, tag, reason))
            if asyncio.get_running_loop().time() > until:
                break
        return told

    async def _foreseen(self, approval: Approval, request: dict[str, Any], view: ApprovalView) -> Masks:
        """What a mask of a table of this name would do for the requester, by what is known of the data now."""
        resource = request["resource"]
        known = self._lineage.names_of(resource["type"], resource["id"])
        outlook = self._outlook(view.lineage, known)
        if outlook is not Outlook.FORESEEN:
            return Masks(outlook)
        columns = columns_named(known)
        tags = self._lineage.columns_of(resource["type"], resource["id"], names(columns))
        requester, now_ns = Caller.requester(approval.caller), time.time_ns()
        masking = orjson.dumps(
            {
                **request,
                "action": {"name": "mask", "properties": {}},
                "resource": {"type": "table", "id": resource["id"], "properties": {}},
            }
        )
        suspect = Suspect(view.caller.identity, kind(approval.request))
        lineage = view.lineage.json
        asked = [
            Question(masks_input(masking, requester, now_ns, part), suspect, about=About.MASKS, lineage=lineage)
            for part in parts(tagged(columns, tags))
        ]
        deciding = Question(opa_input(approval.request, requester, now_ns), suspect, lineage=lineage)
        try:
            *answers, decided = await self._batcher.each([*asked, deciding])
            found = foreseen(whole(answers), columns)
            required = [one.rule for one in verdict(decided, self._person_types).obligations if one.type == "mask"]
        except PdpError:
            return Masks(Outlook.FAILED)
        masks = [(name, found.masks[column.name]) for name, column in zip(known, columns, strict=True)]
        return Masks(outlook, sorted({*required}), masks, found)

    def _outlook(self, now: View, known: Sequence[str]) -> Outlook:
        if not self._masks:
            return Outlook.OFF
        if now.state is not State.KNOWN or not known:
            return Outlook.UNKNOWN
        return Outlook.TOO_WIDE if len(known) > MAX_COLUMNS else Outlook.FORESEEN


def carried_first(now: View, before: Seen) -> list[tuple[str, str]]:
    """Each column with each of its tags: the most sensitive column first, and of each the new tags first.

    A tag of no column is the data's own. `unclassified` comes last, as nobody says it.
    """
    of_columns = {tag for tags in now.columns.values() for tag in tags}
    columns = {"": [tag for tag in now.tags if tag not in of_columns], **now.columns}
    added = {name: before.added(name, tags) if name else [] for name, tags in columns.items()}
    ordered = sorted(columns, key=lambda name: (sensitivity(columns[name], added[name]), name))
    pairs = [pair for name in ordered for pair in _of_column(name, columns[name], added[name])]
    return sorted(pairs, key=lambda pair: pair[1] == UNCLASSIFIED)


def _of_column(name: str, tags: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((name, tag) for tag in sorted(tags, key=lambda tag: (tag not in new, tag)))
