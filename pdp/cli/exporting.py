"""The log into a file: at once, or over many runs that go on where the last one was."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from pdp.cli import exit_code, progress, verification
from pdp.cli.progress import unwritten
from pdp.errors import PdpError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pdp.client import Client
    from pdp.v1.audit_pb2 import Batch

COMMAND = "export"
Save: TypeAlias = Callable[[dict[str, Any]], None]
"""Keeps how far an export has come."""
SAVE_SECONDS = 5.0
"""Seconds between two times at which the state is kept."""


async def exported(client: "Client", name: str, resume: Path | None) -> int:
    """Write the log into a file; how many records it has. Raises `Tampered` where another log stands there now."""
    if resume is None:
        with _whole_file(name) as target:
            return await _Export(client, target, {}).run(lambda _: None)
    with progress.alone(resume):
        kept = progress.read(resume, COMMAND)
        try:
            with _gone_on(name, kept, resume) as (target, save):
                return await _Export(client, target, kept, resume).run(save)
        except OSError as error:
            exit_code.fail(unwritten(error), exit_code.USAGE)


@contextmanager
def _gone_on(name: str, kept: dict[str, Any], resume: Path) -> "Iterator[tuple[TextIO, Save]]":
    """The file as the run before left it, and how to keep how far it has come. It has its name only when complete."""
    part, whole = Path(f"{name}.part"), Path(name)
    _require_file(whole)
    if kept and not part.exists() and whole.exists():
        whole.replace(part)
    with part.open("r+" if kept and part.exists() else "w", encoding="utf-8") as target:
        if os.fstat(target.fileno()).st_size < kept.get("bytes", 0):
            exit_code.fail(f"{part} is shorter than {resume} says; begin again with others", exit_code.USAGE)
        target.truncate(kept.get("bytes", 0))
        target.seek(0, os.SEEK_END)

        def save(members: dict[str, Any]) -> None:
            target.flush()
            os.fsync(target.fileno())
            progress.write(resume, COMMAND, {**members, "bytes": os.fstat(target.fileno()).st_size})

        yield target, save
    part.replace(whole)


class _Export:
    """Writes batches as they come. `kept` says where an earlier run was."""

    def __init__(self, client: "Client", target: TextIO, kept: dict[str, Any], resume: Path | None = None) -> None:
        self._client, self._target, self._kept, self._resume = client, target, kept, resume
        self._records: int = kept.get("records", 0)
        self._heads = {bytes.fromhex(name): (seq, bytes.fromhex(head)) for name, seq, head in kept.get("writers", ())}
        self._due = set(self._heads)

    async def run(self, save: "Save") -> int:
        """Write all that is there now; how many records the file has. `save` keeps how far it has come."""
        from pdp.audit.export import batch_pieces, header_line

        header = await verification.header(self._client)
        kid = verification.audit_kid(header)
        if self._resume is not None:
            progress.require_log(self._resume, self._kept, header.realm, kid)
        if not self._kept:
            self._target.write(header_line(header))
        about, saved = {"realm": header.realm, "key": kid}, time.monotonic()
        try:
            async with aclosing(self._arriving()) as arriving:
                async for batch in arriving:
                    self._target.writelines(batch_pieces(batch))
                    self._records += len(batch.records)
                    self._heads[batch.writer] = batch.seq, batch.head
                    del batch
                    if time.monotonic() - saved > SAVE_SECONDS:
                        save({**about, **self._members()})
                        saved = time.monotonic()
        except (PdpError, asyncio.CancelledError):
            save({**about, **self._members()})
            raise
        self._require_all()
        save({**about, **self._members()})
        return self._records

    async def _arriving(self) -> "AsyncGenerator[Batch]":
        """Batches that the file does not have. The last ones of the run before come again, and must be the same."""
        from pdp.client import log

        found = await log.extent(self._client)
        for stray in found.strays:
            yield stray
        after = {writer: seq - 1 for writer, (seq, _) in self._heads.items()}
        async with aclosing(log.read(self._client, found, after)) as arriving:
            async for batches in arriving:
                while batches:
                    if not self._has(batches[0]):
                        yield batches[0]
                    del batches[0]

    def _has(self, batch: "Batch") -> bool:
        from pdp.audit.verify import Tampered

        if batch.writer not in self._due:
            return False
        self._due.remove(batch.writer)
        if self._heads[batch.writer] != (batch.seq, batch.head):
            place = f"writer {batch.writer.hex()} batch {batch.seq}"
            raise Tampered("changed", place, "another batch stands here than the one that was exported before")
        return True

    def _require_all(self) -> None:
        from pdp.audit.verify import Tampered

        for writer in self._due:
            seq, _ = self._heads[writer]
            raise Tampered("tail-missing", f"writer {writer.hex()} batch {seq}", "gone; it was exported before")

    def _members(self) -> dict[str, Any]:
        writers = [[writer.hex(), seq, head.hex()] for writer, (seq, head) in self._heads.items()]
        return {"records": self._records, "writers": writers}


def _require_file(path: Path) -> None:
    """End the command where a device, a pipe or a folder stands there: a file would take its place."""
    if path.exists() and not path.is_file():
        exit_code.fail(f"{path} is not a file; name another one, or - for standard output", exit_code.USAGE)


@contextmanager
def _whole_file(name: str) -> Iterator[TextIO]:
    """A file that gets its name only when it is complete."""
    if name == "-":
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            exit_code.fail(f"cannot write standard output: {error.strerror}", exit_code.USAGE)
        return
    part = Path(f"{name}.part")
    _require_file(Path(name))
    try:
        with part.open("w", encoding="utf-8") as target:
            yield target
        part.replace(name)
    except OSError as error:
        exit_code.fail(f"cannot write {name}: {error.strerror}", exit_code.USAGE)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
