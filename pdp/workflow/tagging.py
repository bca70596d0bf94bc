"""What stewards say of data and what recognizers suggest: facts that only add, each in the log before its answer."""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pdp import canonical
from pdp.caller import Caller
from pdp.canonical import jcs
from pdp.errors import InvalidRequest, NotFound
from pdp.lineage.fact import Classified, Dataset, Fact, Settled, Source, Suggested, Tagged, Tagging
from pdp.lineage.limits import COLUMN_TAGS, COLUMNS, Limits
from pdp.lineage.view import Revision
from pdp.v1.lineage_pb2 import (
    ClassifyRequest,
    SettleSuggestionRequest,
    Suggestion,
    SuggestRequest,
    TagRequest,
)
from pdp.workflow.known_data import KnownData
from pdp.workflow.tag_names import settable

MAX_SUGGESTIONS = 200
"""Suggestions of one call."""
MAX_NAMES = 1000
"""Other names of one declaration."""
MAX_RECOGNIZER = 128
"""Characters of a recognizer's name and version."""

Write: TypeAlias = Callable[[Caller, Sequence[Fact]], Awaitable[Revision]]
"""Returns the revision that holds a person's facts, once they and their record are durable on a majority."""


class TaggingData:
    """Adds facts of people."""

    def __init__(self, known: KnownData, write: Write, limits: Limits) -> None:
        self._known, self._write, self._limits = known, write, limits

    async def tag(self, request: TagRequest, caller: Caller) -> tuple[Dataset, Revision]:
        """A tag of a column or of a whole dataset. Raises `InvalidRequest`, `NotFound`, `DatasetAmbiguous`."""
        reason = canonical.checked_text(request.reason, "reason")
        tag = settable(request.tag, "tag")
        dataset = await self._known.one(request.data)
        tagging = Tagging(dataset, self._column(dataset, request.column, "column"), tag)
        self._limits.admit_people(dataset, {tagging.column: [tag]}, caller.identity)
        names = await self._names(dataset, request)
        fact = Tagged(by=caller.identity, at=_now(), reason=reason, tagging=tagging, names=names)
        return dataset, await self._write(caller, [fact])

    async def classify(self, request: ClassifyRequest, caller: Caller) -> tuple[Dataset, Revision]:
        """What is in columns. Raises as `tag` does."""
        reason = canonical.checked_text(request.reason, "reason")
        if not 0 < len(request.columns) <= COLUMNS:
            raise InvalidRequest.field("columns", f"has {len(request.columns)} columns; send 1 to {COLUMNS}")
        dataset = await self._known.one(request.data)
        columns = self._columns(dataset, request)
        self._limits.admit_people(dataset, columns, caller.identity)
        fact = Classified(
            by=caller.identity,
            at=_now(),
            reason=reason,
            dataset=dataset,
            columns=columns,
            names=await self._names(dataset, request),
        )
        return dataset, await self._write(caller, [fact])

    async def suggest(self, request: SuggestRequest, caller: Caller) -> tuple[list[Suggested], Revision]:
        """The suggestions that are new. Raises as `tag` does, and `NotAllowed` for a writer to whom it is foreign."""
        if not 0 < len(request.suggestions) <= MAX_SUGGESTIONS:
            raise InvalidRequest.field(
                "suggestions", f"has {len(request.suggestions)} suggestions; send 1 to {MAX_SUGGESTIONS}"
            )
        dataset = await self._known.one(request.data)
        self._known.require_own(dataset, caller)
        facts = [
            self._suggested(dataset, one, f"suggestions[{index}]", caller)
            for index, one in enumerate(request.suggestions)
        ]
        for fact in facts:
            said = {fact.tagging.column: [fact.tagging.tag]}
            self._limits.admit_people(dataset, said, caller.identity, binds=False)
        at = await self._known.at(0)
        with at.graph.lock:
            known = at.graph.structure.ledger.suggestions
            new = list({fact.suggestion: fact for fact in facts if fact.suggestion not in known}.values())
        return new, await self._write(caller, new) if new else at.revision

    async def settle(self, request: SettleSuggestionRequest, caller: Caller) -> tuple[Suggested, Settled, Revision]:
        """Accept a suggestion, which sets its tag, or reject it. Raises `NotFound`.

        A suggestion may be settled again: accepted after all, or rejected, which takes no tag away.
        """
        reason = canonical.checked_text(request.reason, "reason")
        at = await self._known.at(0)
        with at.graph.lock:
            found = at.graph.structure.ledger.suggestions.get(request.suggestion_id)
        if found is None:
            raise NotFound("SUGGESTION_NOT_FOUND", "no suggestion has this id")
        said: dict[str, Any] = {"by": caller.identity, "at": _now(), "reason": reason}
        settled = Settled(suggestion=found.suggestion, accepted=request.accept, **said)
        tagging = found.tagging
        if request.accept:
            self._limits.admit_people(tagging.dataset, {tagging.column: [tagging.tag]}, caller.identity)
        names = await self._known.other_names(tagging.dataset)
        tagged = Tagged(tagging=found.tagging, source=Source.SUGGESTION, names=names, **said)
        return found, settled, await self._write(caller, [settled, *([tagged] if request.accept else [])])

    async def _names(self, dataset: Dataset, request: TagRequest | ClassifyRequest) -> Sequence[Dataset]:
        """The other names for which the declaration counts: those of the request, or all of now."""
        if not request.HasField("names"):
            return await self._known.other_names(dataset)
        names = request.names.names
        if len(names) > MAX_NAMES:
            raise InvalidRequest.field("names.names", f"has {len(names)} names; send at most {MAX_NAMES}")
        named = {self._known.dataset(name, f"names.names[{index}]") for index, name in enumerate(names)}
        return sorted(named - {dataset})

    def _columns(self, dataset: Dataset, request: ClassifyRequest) -> Mapping[str, Sequence[str]]:
        columns: dict[str, set[str]] = {}
        for index, column in enumerate(request.columns):
            path = f"columns[{index}]"
            if not column.name:
                raise InvalidRequest.field(f"{path}.name", "is required")
            tags = {settable(text, f"{path}.tags[{place}]") for place, text in enumerate(column.tags)}
            columns.setdefault(self._column(dataset, column.name, f"{path}.name"), set()).update(tags)
            if len(tags) > COLUMN_TAGS:
                raise InvalidRequest.field(f"{path}.tags", f"has {len(tags)} tags; a column has {COLUMN_TAGS} at most")
        return {name: sorted(tags) for name, tags in columns.items()}

    def _column(self, dataset: Dataset, name: str, path: str) -> str:
        if len(name.encode()) > canonical.MAX_ID_BYTES:
            raise InvalidRequest.field(path, f"has more than {canonical.MAX_ID_BYTES} bytes")
        return self._known.names.column(dataset, name)

    def _suggested(self, dataset: Dataset, one: Suggestion, path: str, caller: Caller) -> Suggested:
        if not one.recognizer or len(one.recognizer) > MAX_RECOGNIZER:
            raise InvalidRequest.field(f"{path}.recognizer", f"must have 1 to {MAX_RECOGNIZER} characters")
        for member in ("score", "hits"):
            if not 0 <= getattr(one, member) <= 1:
                raise InvalidRequest.field(f"{path}.{member}", "must be from 0 to 1")
        if not one.column:
            raise InvalidRequest.field(f"{path}.column", "is required")
        column = self._column(dataset, one.column, f"{path}.column")
        tagging = Tagging(dataset, column, settable(one.tag, f"{path}.tag"), round(one.score, 3))
        return Suggested(
            by=caller.identity,
            at=_now(),
            suggestion=suggestion_id(tagging, one.recognizer),
            tagging=tagging,
            hits=round(one.hits, 3),
            recognizer=one.recognizer,
        )


def suggestion_id(tagging: Tagging, recognizer: str) -> str:
    """The same for the same names, tag, recognizer and version: what was rejected is not proposed again."""
    dataset = tagging.dataset
    text = jcs({"data": [*dataset, tagging.column], "tag": tagging.tag, "recognizer": recognizer}, plain=False)
    return f"sug_{urlsafe_b64encode(hashlib.sha256(text).digest()[:15]).decode()}"


def _now() -> int:
    return time.time_ns() // 1_000_000
