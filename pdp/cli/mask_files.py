"""What the commands that mask share: the files that they read and write, and what they print."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pdp.cli import exit_code
from pdp.cli.decisions import status
from pdp.say import say
from pdp.visible import printable, visible

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.cli.scope import Scope
    from pdp.v1.decision_pb2 import AuthorizeResponse
    from pdp.v1.mask_pb2 import MaskPlan, MaskShape

SHOW_CURSOR = b"\x1b[?25h\r\n"
"""What a terminal needs where a progress bar ends in the middle: its cursor, and a line of its own."""

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files: .parquet, .csv, .tsv, .jsonl, .json, .arrow, text also .gz; - is standard input.",
    ),
]
Target = Annotated[
    str, typer.Option("--to", metavar="FILE", help="The file to write, or a folder for several; - is standard output.")
]
FromRow = Annotated[int, typer.Option(min=0, metavar="ROW", help="Leave out the rows before this one (from 0).")]


def shape_of(path: str, scope: "Scope") -> "tuple[MaskShape, Source]":
    """The shape of a file's table, and the file, opened."""
    from masker.file import record_paths
    from pdp.client.masks import shape

    source = opened(path, scope)
    if not source.is_records:
        return shape(source.schema), source
    try:
        paths, source = record_paths(source)
    except BaseException:
        source.close()
        raise
    return shape(source.schema, paths), source


def opened(path: str, scope: "Scope") -> "Source":
    """A file, ready to be read, and on standard error what people should know of it."""
    from masker.arrow.sources import source

    made = source(path, scope.form, scope.layout)
    if made.note:
        say(visible(f"{path}: {made.note}"))
    return made


def targets(files: Sequence[str], output: str) -> Iterator[tuple[str, str]]:
    """The pairs (file, output). A folder as output takes several files under their own names."""
    folder = Path(output)
    if output and output != "-" and (folder.is_dir() or output.endswith("/") or len(files) > 1):
        if not folder.is_dir():
            exit_code.fail(f"{output} is not a folder; make it first", exit_code.USAGE)
        pairs = [(file, str(folder / Path(file).name)) for file in files]
    elif len(files) == 1 and (output or files[0] == "-"):
        pairs = [(files[0], output or "-")]
    else:
        exit_code.fail("name the output with --to: a file, or a folder for several", exit_code.USAGE)
    names = [target for _, target in pairs]
    if len(set(names)) < len(names):
        exit_code.fail("two files have one name, so their outputs would, too; mask them apart", exit_code.USAGE)
    for file, target in pairs:
        if target != "-" and _place(file) == _place(target):
            exit_code.fail(f"{target} is its own input; take another name or folder", exit_code.USAGE)
    yield from pairs


def _place(path: str) -> Path:
    try:
        return Path(path).resolve()
    except RuntimeError:  # links in a circle, which cannot be opened
        return Path(path).absolute()


@contextmanager
def progress(path: str, rows: int | None) -> Iterator[Callable[[int], None]]:
    """Show rows and rows per second on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(Path(path).name), total=rows, rate="")

        def advance(more: int) -> None:
            bar.advance(task, more)
            speed = bar.tasks[task].speed
            bar.update(task, rate=f"{speed:,.0f} rows/s" if speed else "")

        yield advance


def summary(plan: "MaskPlan", rows: int, record_id: str, target: str) -> None:
    """Print what was done, for people, on standard error."""
    say(plan_table(plan))
    recorded = f", recorded as {record_id}" if record_id else ""
    say(f"{rows:,} rows to {'standard output' if target == '-' else target}{recorded}")


def plan_table(plan: "MaskPlan") -> str:
    """A line for each column, then the table, the subject and the policy."""
    rows = [
        (
            visible(column.column),
            f"{column.mask} in {column.domain}" if column.domain else column.mask,
            f"key {column.key_version}" if column.key_version else "",
            visible(column.rule),
        )
        for column in plan.columns
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(3)] if rows else []
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    ]
    lines.append(f"table {visible(plan.table)} for {visible(plan.subject)}, policy {plan.policy_revision[:12]}")
    return "\n".join(lines)


def refuse(decision: "AuthorizeResponse") -> NoReturn:
    """Print a decision that is not an allow, and exit with its status."""
    from pdp.cli import display

    say(display.decision(decision))
    raise typer.Exit(status(decision) or exit_code.DENY)


@contextmanager
def ending_clean() -> Iterator[None]:
    """Within it, SIGINT, SIGTERM and SIGHUP end this process as they end others, after its hidden files are removed."""
    from masker.arrow.targets import discard_unfinished

    def end(number: int, _frame: object) -> None:
        discard_unfinished()
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    ending = [number for number in signal.Signals if number.name in {"SIGINT", "SIGTERM", "SIGHUP"}]
    before = {number: signal.getsignal(number) for number in ending}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the masker's own refusals (of a file, a value, a key) into a sentence and an exit status.

    A signal ends the command at once, and no half-written file is left.
    """
    try:
        import masker
    except ImportError:
        exit_code.fail("this needs the extra `mask`: pip install 'placet[mask]'")
    try:
        with ending_clean():
            yield
    except (masker.FileRefused, masker.KeyRefused, masker.ValueRefused) as error:
        exit_code.fail(str(error), exit_code.USAGE)
    except masker.PlanRefused as error:
        exit_code.fail(str(error), exit_code.POLICY_ERROR)
    except masker.MaskError as error:
        exit_code.fail(str(error))
