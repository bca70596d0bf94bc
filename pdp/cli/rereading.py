"""An input that is read more than once: a file as it stands, and what comes through a pipe from a copy.

The copy has no name and its mode is 0600, so that nothing is left of it, also where the command is killed.
"""

import asyncio
import shutil
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from pdp.cli import exit_code
from pdp.visible import visible

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.cli.scope import Scope
    from pdp.v1.mask_pb2 import MaskShape

    Opened = Callable[[], Source]

_PIPE = "-"
_PIECE_BYTES = 1 << 20
"""Bytes of a pipe that are in memory at a time."""


@asynccontextmanager
async def reopened(path: str, scope: "Scope") -> "AsyncIterator[Opened]":
    """What opens the input at its beginning, as often as it is called. What people should know of it is said once.

    A pipe is read in a thread: a signal would not end a command whose main thread waits for a pipe.
    """
    from masker.arrow.sources import source

    content = await asyncio.to_thread(_copied, path)
    said = set[str]()

    def opened() -> "Source":
        made = source(path, scope.form, scope.layout, content=content)
        if made.note and made.note not in said:
            typer.echo(visible(f"{path}: {made.note}"), err=True)
            said.add(made.note)
        return made

    with content or nullcontext():
        yield opened


def whole_shape(opened: "Opened") -> "MaskShape":
    """The shape of an input, with the paths of all its records: JSON is read to its end."""
    from masker.file import all_record_paths
    from pdp.client.masks import shape

    with opened() as source:
        return shape(source.schema, all_record_paths(source) if source.is_records else None)


def _copied(path: str) -> BinaryIO | None:
    """A copy of what comes through a pipe; None for a file."""
    if path != _PIPE and not _is_pipe(path):
        return None
    with ExitStack() as failing:
        try:
            copy = failing.enter_context(tempfile.TemporaryFile())
            with nullcontext(sys.stdin.buffer) if path == _PIPE else Path(path).open("rb") as piped:
                shutil.copyfileobj(piped, copy, _PIECE_BYTES)
            copy.flush()
        except OSError as error:
            reason = error.strerror or "the system refuses it"
            exit_code.fail(
                f"what comes through a pipe is copied to a file in {tempfile.gettempdir()}: {reason}; "
                "TMPDIR names another folder",
                exit_code.USAGE,
            )
        failing.pop_all()
    return copy


def _is_pipe(path: str) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
