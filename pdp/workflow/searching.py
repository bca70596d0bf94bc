"""Searches: each candidate is asked about like any other request, and those that are allowed are the answer.

candidates (declared or sent) -> questions -> verdicts -> one durable record -> answer

Nothing is found by inverting the policy: what nobody names as a candidate is not found. What could not be answered is
left out and counted, so that an answer never claims to be whole when it is not.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from pdp.audit import event
from pdp.audit.record import Entry
from pdp.authzen_question import Part
from pdp.authzen_search import Search, read_candidates, result
from pdp.bad_fields import Refused
from pdp.caller import Caller
from pdp.decision import Effect, Verdict
from pdp.errors import (
    DigestRequired,
    EngineUnavailable,
    InvalidRequest,
    NotAllowed,
    PdpError,
    PolicyInvalid,
)
from pdp.lineage.view import Revision, State
from pdp.opa.queries import Candidates, Opa
from pdp.recording.delivery import Delivery
from pdp.search_page import Pages, Place
from pdp.turns import Turns
from pdp.workflow.answer import Ask
from pdp.workflow.deciding import Deciding

MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of the candidates of one page: the record of a page holds them, and a batch of records has 3.75 MiB."""
DECLARED_SECONDS = 2.0
"""Seconds for which the declared kinds are not asked for again: everybody may ask for them, without a token."""
_OF_ONE = (InvalidRequest, NotAllowed, PolicyInvalid)
"""Errors of one candidate, which is left out. Any other is one of the whole search."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search, which is in the log as `record`.

    `searched` counts the candidates of this page, and `known` all that there are. `unanswered` got no verdict, and
    `withheld` are allowed with an obligation that the caller cannot fulfil; neither is among the `results`.
    """

    results: Sequence[dict[str, Any]]
    record: str
    revision: str
    source: str
    known: int
    searched: int
    unanswered: int
    withheld: int
    next_token: str

    @property
    def is_complete(self) -> bool:
        """Whether this page ends the search, and each of its candidates was answered."""
        return not (self.next_token or self.unanswered)


class _Seen(NamedTuple):
    """One candidate of a page, as it came and as it was read, with its verdict or error."""

    candidate: Any
    part: Part | None
    outcome: Verdict | PdpError
    ask: Ask | None = None

    @property
    def is_allowed(self) -> bool:
        return isinstance(self.outcome, Verdict) and self.outcome.effect is Effect.ALLOW

    @property
    def is_withheld(self) -> bool:
        return isinstance(self.outcome, Verdict) and self.ask is not None and self.ask.withholds(self.outcome)


class Searching:
    """Answers searches."""

    def __init__(self, deciding: Deciding, opa: Opa, delivery: Delivery, pages: Pages, turns: Turns) -> None:
        self._deciding, self._opa, self._delivery, self._pages, self._turns = deciding, opa, delivery, pages, turns
        self._declared: Collection[str] = ()
        self._declared_until, self._looking = 0.0, asyncio.Lock()

    async def declared(self) -> Collection[str]:
        """The kinds of which the policy's data declares candidates. Where OPA does not say, what it said last."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now >= self._declared_until:
                with suppress(EngineUnavailable, PolicyInvalid):  # it is away, or its bundle is of an older release
                    self._declared = (await self._opa.candidates("action", "", 0, 0)).declared
                self._declared_until = now + DECLARED_SECONDS
        return self._declared

    async def found(self, search: Search, caller: Caller) -> Found:
        """A page of the answer. Raises `InvalidRequest`, `NotAllowed`, `DigestRequired` and what OPA may raise."""
        _require_may_ask(search, caller)
        await self._require_good(search, caller)
        place = self._pages.place(search.token, caller.identity, search.digest) if search.token else None
        first = place.first if place else 0
        page = await self._page(search, first)
        if place:
            self._pages.require_revision(place, page.revision)
        seen = _cut(await self._seen(search, page, caller), search.limit)
        return await self._recorded(search, caller, page, first, seen)

    async def _require_good(self, search: Search, caller: Caller) -> None:
        """Raise `InvalidRequest` if any candidate that the caller sent is bad, on whichever page it would be."""
        for index, candidate in enumerate(search.candidates or ()):
            search.part(index, candidate)
            await self._turns.behind(index, caller.identity)

    async def _page(self, search: Search, first: int) -> Candidates:
        """The candidates from `first` on, and the revision under which they are declared."""
        if search.candidates is None:
            return await self._opa.candidates(search.kind, search.type, first, search.looks_at)
        page = await self._opa.candidates(search.kind, "", 0, 0)
        part = search.candidates[first : first + search.looks_at]
        return replace(page, known=len(search.candidates), page=part)

    async def _seen(self, search: Search, page: Candidates, caller: Caller) -> list[_Seen]:
        """Each candidate of the page, up to `MAX_PAGE_BYTES`, with its verdict. Raises what ends a whole search."""
        read = await self._read(search, page, caller)
        checks = [partial(self._checked, search, part, caller) for _, part in read]
        asks = await self._deciding.informed(await self._deciding.checked_each(checks, caller))
        verdicts = iter(await self._deciding.judged([ask for ask in asks if isinstance(ask, Ask)]))
        seen = [
            _Seen(candidate, None if isinstance(part, PdpError) else part, next(verdicts), ask)
            if isinstance(ask, Ask)
            else _Seen(candidate, None, ask.error)
            for (candidate, part), ask in zip(read, asks, strict=True)
        ]
        _require_answers(seen, page.revision)
        return seen

    async def _read(self, search: Search, page: Candidates, caller: Caller) -> list[tuple[Any, Part | PdpError]]:
        read, size = list[tuple[Any, Part | PdpError]](), 0
        candidates = page.page if search.candidates is not None else _strictly(page.page)
        for index, candidate in enumerate(candidates):
            part = _part(search, index, candidate)
            size += part.weight if isinstance(part, Part) else 0
            if read and size > MAX_PAGE_BYTES:
                break
            read.append((candidate, part))
            await self._turns.behind(index, caller.identity)
        return read

    def _checked(self, search: Search, part: Part | PdpError, caller: Caller) -> Ask:
        if isinstance(part, PdpError):
            raise part
        return self._deciding.checked_candidate(search.asked(part), caller)

    async def _recorded(
        self, search: Search, caller: Caller, page: Candidates, first: int, seen: Sequence[_Seen]
    ) -> Found:
        """No record, no answer."""
        allowed = [one for one in seen if one.is_allowed and not one.is_withheld and one.part]
        results = [result(search.kind, one.part, one.candidate) for one in allowed if one.part]
        place = Place(caller.identity, search.digest, page.revision, first + len(seen))
        found = Found(
            results,
            "",
            page.revision,
            "policy" if search.candidates is None else "request",
            page.known,
            len(seen),
            sum(isinstance(one.outcome, PdpError) for one in seen),
            sum(one.is_withheld for one in seen),
            self._pages.token(place) if place.first < page.known else "",
        )
        record = _record(search, caller, found, first, seen)
        await self._delivery.write([], [record], caller.identity)
        return replace(found, record=record.id)


def _require_may_ask(search: Search, caller: Caller) -> None:
    """Whether this caller may search at all, and in these names. Subjects that are sought are checked one by one."""
    caller.require_search()
    caller.may_speak_for(search.subject or caller.identity, search.chain)
    if caller.requires_digest:
        raise DigestRequired("your entry requires an expected_digest of each request, and a search has none")


def _strictly(page: Sequence[Any]) -> list[Any]:
    try:
        return read_candidates(page)
    except Refused:
        raise PolicyInvalid("wrong_type", "data.search is not what a search can read; run `pdp policy check`") from None


def _part(search: Search, index: int, candidate: Any) -> Part | PdpError:
    try:
        return search.part(index, candidate)
    except InvalidRequest as error:
        return error


def _require_answers(seen: Sequence[_Seen], revision: str) -> None:
    """Raise what is an error of the whole search: OPA is away, the policy is broken, or it is another one by now."""
    errors = [one.outcome for one in seen if isinstance(one.outcome, PdpError)]
    for error in errors:
        if not isinstance(error, _OF_ONE):
            raise error
    broken = [error for error in errors if isinstance(error, PolicyInvalid)]
    if broken and len(broken) == len(seen):
        raise broken[0]
    if any(isinstance(one.outcome, Verdict) and one.outcome.revision != revision for one in seen):
        raise EngineUnavailable("the policy changed while it was searched; search again")


def _cut(seen: Sequence[_Seen], limit: int) -> Sequence[_Seen]:
    """The candidates up to the one that fills the page."""
    results = 0
    for index, one in enumerate(seen):
        results += one.is_allowed and not one.is_withheld
        if results == limit:
            return seen[: index + 1]
    return seen


def _lineage(seen: Sequence[_Seen]) -> Sequence[Revision]:
    """The revisions of lineage by which candidates were decided that are data: several where it grew meanwhile."""
    views = (one.ask.view for one in seen if one.ask)
    found = {view.revision.n: view.revision for view in views if view.state not in {State.OFF, State.NONE}}
    return [found[n] for n in sorted(found)]


def _record(search: Search, caller: Caller, found: Found, first: int, seen: Sequence[_Seen]) -> Entry:
    details = {
        "source": found.source,
        "first": first,
        "searched": found.searched,
        "known": found.known,
        "results": found.results,
        "withheld": found.withheld,
        "unanswered": [
            {"candidate": first + index, "error": one.outcome.reason}
            for index, one in enumerate(seen)
            if isinstance(one.outcome, PdpError)
        ],
    }
    if revisions := _lineage(seen):
        details["lineage"] = [{"n": one.n, "head": one.head} for one in revisions]
    if found.source == "request":
        details["candidates"] = [one.part.members for one in seen if one.part]
    return event.searched(caller, search.query, found.revision, details)
