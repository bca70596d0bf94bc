"""`pdp lineage load`: sends files of OpenLineage events to the server, and says what became of them."""

import asyncio
import json
import sys
import time
import zlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, cast

import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command
from pdp.errors import PdpError
from pdp.say import give, tell
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.lineage.fact import Event
    from pdp.lineage_settings import LineageWriter
    from pdp.v1.lineage_pb2 import IngestRequest, IngestResponse

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""What the module `zlib` calls the gzip format."""
_PART = 64 * 1024
"""Bytes of a file that are read, and unpacked, in one go."""
_ANYBODY = SimpleNamespace(
    namespaces=("*",),
    may_tag=True,
    may_classify=False,
    trust_masking=False,
    facet_is_complete=False,
    may_replace=False,
)
"""A writer of everything as the configuration has it by default. Its own module needs the extra `server`."""
MAX_TOLD = 20
"""Refusals, and problems, that are told one by one."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """An event on its way: where it stands, its text, and what it is as this machine reads it."""

    place: str
    text: bytes
    event: "Event | None"
    refusal: str = ""


@dataclass(slots=True)
class _Seen:
    """What became of the events so far."""

    events: int = 0
    taken: int = 0
    known: int = 0
    coarse: list[str] = field(default_factory=list)
    problems: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    revision: int = 0

    def take(self, sent: _Sent, *, known: bool = False, revision: int = 0) -> None:
        """Count one that was taken, and what of it became coarse."""
        self.events += 1
        self.taken += not known
        self.known += known
        self.revision = max(self.revision, revision)
        self.coarse += [f"{sent.place}: {name}" for name in _coarse(sent.event)]

    def refuse(self, sent: _Sent, sentence: str) -> None:
        """Count one that was not."""
        self.events += 1
        self.refused.append(f"{sent.place}: {sentence}")


@client_command
async def load(
    session: Session,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files: JSON, an array, JSON Lines, also .gz; - is standard input."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read them here, without a server, and say what they hold.")
    ] = False,
) -> None:
    """Send OpenLineage events from files to the server.

    It says how many were taken, known before or refused, which outputs became coarse (each column gets every tag of
    every input, because no facet says which), and what of the events was not understood. To load a file again changes
    nothing. It exits with 1 if some were refused.
    """
    seen = _Seen()
    try:
        if dry_run:
            for sent in _read(files):
                _dry(sent, seen)
        else:
            async with session.client() as client:
                await _load(client, files, seen)
    except typer.Exit:
        if seen.events:  # they stay taken
            _print(session, seen, dry_run=dry_run)
        raise
    _print(session, seen, dry_run=dry_run)
    if seen.refused:
        raise typer.Exit(exit_code.FAILURE)


async def _load(client: "Client", files: list[str], seen: _Seen) -> None:
    import grpc

    from pdp.client.refusal import Refusal

    waiting: deque[_Sent] = deque()
    stopped: list[typer.Exit] = []
    call = client.lineage.Ingest(_requests(files, waiting, stopped), metadata=client.metadata)
    refusal = Refusal(call, client.noticed)
    try:
        async for answer in call:
            _answered(waiting.popleft(), answer, seen)
    except grpc.aio.AioRpcError as error:
        raise await refusal.behind(error) from None
    if stopped:
        raise stopped[0]


def _answered(sent: _Sent, answer: "IngestResponse", seen: _Seen) -> None:
    seen.problems.update((one.path, one.message) for one in answer.problems)
    if answer.reason:
        seen.refuse(sent, f"{answer.message} ({answer.reason})")
    else:
        seen.take(sent, known=answer.known, revision=answer.revision.n)


async def _requests(
    files: list[str], waiting: deque[_Sent], stopped: list[typer.Exit]
) -> "AsyncIterator[IngestRequest]":
    """The events; what stands in `waiting` has no answer yet. What ends the command ends them, and is in `stopped`."""
    from pdp.v1.lineage_pb2 import IngestRequest

    texts = _read(files)
    try:
        while (sent := await asyncio.to_thread(next, texts, None)) is not None:
            waiting.append(sent)
            yield IngestRequest(event=sent.text)
    except typer.Exit as stop:
        stopped.append(stop)


def _dry(sent: _Sent, seen: _Seen) -> None:
    if sent.event is None:
        seen.refuse(sent, sent.refusal)
    else:
        seen.take(sent)
        seen.problems.update(sent.event.problems)


def _read(files: list[str]) -> Iterator[_Sent]:
    """Every event of the files, in order. Exits where a file cannot be read."""
    from pdp.lineage.batch import NotEvents, events

    for file in files:
        try:
            for number, text in enumerate(events(_content(file)), start=1):
                yield _sent(f"{file}, event {number}", text)
        except (OSError, EOFError, zlib.error) as error:
            exit_code.fail(f"{file}: {_why(error)}", exit_code.USAGE)
        except NotEvents as error:
            exit_code.fail(f"{file}: {error}", exit_code.USAGE)


def _sent(place: str, text: bytes) -> _Sent:
    """An event, read as the server's settings are by default: for what is said of it, not for what is sent."""
    from pdp.lineage.event import read
    from pdp.lineage.name import Names

    try:
        event = read(text, cast("LineageWriter", _ANYBODY), "", Names(), time.time_ns() // 1_000_000)
    except PdpError as error:
        return _Sent(place, text, None, error.sentence)
    return _Sent(place, text, event)


def _content(file: str) -> Iterator[bytes]:
    """A file in parts, unpacked where it is gzip. Raises `OSError`, and `EOFError` where it is cut."""
    with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as raw:
        first = raw.read(len(_GZIP))
        parts = chain([first], iter(lambda: raw.read(_PART), b""))
        yield from _unzipped(parts) if first == _GZIP else parts


def _unzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What members of gzip hold, one after the other, of which only a part is unpacked at a time."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    for part in parts:
        left = part
        while left:
            if stream.eof:
                if not (left := left.lstrip(b"\0")):  # some tools fill the file up
                    break
                stream = zlib.decompressobj(_GZIP_WINDOW)
            yield stream.decompress(left, _PART)
            left = stream.unused_data if stream.eof else stream.unconsumed_tail
    while not stream.eof:
        if not (rest := stream.decompress(stream.unconsumed_tail, _PART)):
            raise EOFError
        yield rest


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or "is not whole gzip"


def _coarse(event: "Event | None") -> Iterator[str]:
    """The outputs of an event whose columns get every tag of every input."""
    if event is None or not event.inputs:
        return
    for output in event.outputs:
        unnamed = output.named is None or not set(output.columns) <= set(output.named)
        if output.is_tainted or (unnamed and not output.is_complete):
            yield "/".join(output.dataset)


def _print(session: Session, seen: _Seen, *, dry_run: bool) -> None:
    if session.output is not Output.TABLE:
        give(json.dumps(_members(seen)))
        return
    words = "readable" if dry_run else "taken"
    known = f", {seen.known} known before" if seen.known else ""
    give(f"{seen.events} events: {seen.taken} {words}{known}, {len(seen.refused)} refused")
    if seen.revision:
        give(f"revision {seen.revision}")
    _tell("coarse, so that each column gets every tag of every input", list(dict.fromkeys(seen.coarse)))
    told = [f"{path}: {message}{f' ({count} times)' if count > 1 else ''}" for (path, message), count in _most(seen)]
    _tell("not understood", told)
    _tell("refused", seen.refused)


def _most(seen: _Seen) -> list[tuple[tuple[str, str], int]]:
    return seen.problems.most_common()


def _tell(heading: str, lines: list[str]) -> None:
    if not lines:
        return
    give(f"{heading}: {len(lines)}")
    for line in lines[:MAX_TOLD]:
        tell(f"  {visible(line)}")
    if len(lines) > MAX_TOLD:
        tell(f"  and {len(lines) - MAX_TOLD} more")


def _members(seen: _Seen) -> dict[str, object]:
    return {
        "events": seen.events,
        "taken": seen.taken,
        "known": seen.known,
        "refused": seen.refused,
        "coarse": seen.coarse,
        "problems": [{"path": path, "message": told, "count": count} for (path, told), count in _most(seen)],
        "revision": seen.revision,
    }
