"""An unmasking in chunks: the streams of one claim follow one another, and only the last chunk sent leaves again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CHUNK, COMPLETE = "chunk", "complete"
"""The phases of the record of each chunk, and of a stream's end behind the last one."""


@dataclass(slots=True)
class _Stream:
    """One stream: the one it follows, its chunks, and whether all was told to be there.

    `record_id` is of its first chunk that is known.
    """

    after: str
    record_id: str
    chunks: set[int] = field(default_factory=set)
    is_complete: bool = False


@dataclass(slots=True)
class ChunkOrder:
    """What the records of one claim say of its chunks. The records may come in any order."""

    _streams: dict[str, _Stream] = field(default_factory=dict)

    def add(self, record_id: str, details: dict[str, Any]) -> None:
        """Take the details of a record of a stream."""
        stream = self._streams.setdefault(str(details["stream"]), _Stream(str(details.get("after", "")), record_id))
        stream.is_complete |= details.get("phase") == COMPLETE
        if details.get("phase") == CHUNK:
            chunk = int(details.get("to_chunk", 0)) - 1
            if not stream.chunks or chunk < min(stream.chunks):
                stream.record_id = record_id
            stream.chunks.add(chunk)

    def fault(self) -> tuple[str, str]:
        """The id of a record of a chunk that was opened out of order, and what is wrong; empty where nothing is.

        1. Each stream follows one that is known, and no two that opened something follow the same.
        2. It begins at the last chunk of those before it, or at the next, and leaves none out.
        3. Nothing was opened behind two streams that were complete. Behind one, the last chunk may be: a server that
           is killed between this record and what MongoDB keeps does not know that all has arrived.
        """
        opened = {name: list(self._before(name)) for name, stream in self._streams.items() if stream.chunks}
        known: list[str] = []
        for name in sorted(opened, key=lambda one: len(opened[one])):
            stream, before = self._streams[name], [one for one in opened[name] if one in opened]
            if None in opened[name] or sorted(before) != sorted(known):
                return stream.record_id, "it follows no stream that was known to be the last"
            if sum(self._streams[one].is_complete for one in before) > 1:
                return stream.record_id, "it was opened again when all had been unmasked"
            reached = max((chunk for one in before for chunk in self._streams[one].chunks), default=-1)
            first, last = min(stream.chunks), max(stream.chunks)
            if not max(reached, 0) <= first <= reached + 1:
                return stream.record_id, f"chunk {first} was opened, and the last before it is {reached}"
            if len(stream.chunks) != last - first + 1:
                return stream.record_id, f"of the chunks {first} to {last} some were left out"
            known.append(name)
        return "", ""

    def _before(self, name: str) -> Iterator[str | None]:
        """The streams before one, the nearest first; None at the end where one of them is not known."""
        seen = {name}
        while name := self._streams[name].after:
            if name in seen or name not in self._streams:
                yield None
                return
            seen.add(name)
            yield name
