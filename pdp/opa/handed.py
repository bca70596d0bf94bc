"""The OPA of a worker: another process runs it, and has handed over what was checked of its policy."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from pdp.opa.engine import Engine, first_look
from pdp.opa.queries import About, Answers, Candidates, Opa
from pdp.policy.handed import HandedPolicy


class HandedOpa(Opa):
    """An OPA whose answers count only by a revision that was handed to this process."""

    def __init__(self, url: str, policy: HandedPolicy) -> None:
        super().__init__(url, place=policy.place, is_loading=lambda: policy.is_loading)
        self._policy = policy

    async def answers(self, about: About, inputs: Sequence[bytes], *more: Any, **named: Any) -> Answers:
        """As `Opa.answers`. Raises `EngineUnavailable` for an answer by another policy than was handed over."""
        found = await super().answers(about, inputs, *more, **named)
        for revision in dict.fromkeys(_revisions(found)):
            self._policy.take(revision)
        if about is About.DECISIONS and self._policy.has_just_changed:
            for asked in inputs:
                self._policy.require_fitting(orjson.loads(asked))
        return found

    async def revision(self) -> str:
        """As `Opa.revision`."""
        if found := await super().revision():
            self._policy.take(found)
        return found

    async def candidates(self, kind: str, of_type: str, first: int, most: int) -> Candidates:
        """As `Opa.candidates`."""
        found = await super().candidates(kind, of_type, first, most)
        self._policy.take(found.revision)
        return found


def _revisions(answers: Iterable[Any]) -> Iterable[str]:
    """The revisions that answers name; one that names none decides nothing."""
    for answer in answers:
        match answer:
            case {"revisions": [str(revision)]}:
                yield revision


@asynccontextmanager
async def handed_engine(url: str, folder: Path, number: int) -> AsyncIterator[Engine]:
    """The OPA with this number, until the block ends. Raises `EngineUnavailable` if it or its policy is not there."""
    reloaded = asyncio.Event()
    policy = HandedPolicy(folder, number, reloaded.set)
    async with HandedOpa(url, policy) as opa:
        version, revision = await first_look(opa, "")
        yield Engine(opa, version, revision, policy, reloaded)
