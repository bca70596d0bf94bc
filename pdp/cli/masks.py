"""`pdp mask` and `pdp unmask`: files through the server, where the keys are."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pdp.cli import exit_code
from pdp.cli.decisions import members, status, typed
from pdp.cli.session import Session, client_command
from pdp.cli.visible import visible

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.client import Client
    from pdp.v1.decision_pb2 import AuthorizeResponse
    from pdp.v1.mask_pb2 import MaskPlan, MaskScope, MaskShape, UnmaskResponse

app = typer.Typer(name="mask", help="Mask files as the policy says for this subject.", no_args_is_help=True)

UNMASK_BYTES = 4 * 1024 * 1024 - 64 * 1024

_Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help=".parquet, .csv, .jsonl, .arrow; - is standard input.")
]
_Table = Annotated[str, typer.Option(help="The table's name in the policy.")]
_Subject = Annotated[str, typer.Option(help="Who acts: <type>:<id>; by default the caller.")]
_OnBehalfOf = Annotated[list[str] | None, typer.Option(help="For whom: <type>:<id>; outermost last.")]
_Context = Annotated[list[str] | None, typer.Option(help="NAME=JSON, or NAME=text.")]
_RequestId = Annotated[str, typer.Option(help="Names this one execution.")]
_ApprovalId = Annotated[str, typer.Option(help="The approval to use.")]
_Justification = Annotated[str, typer.Option(help="Your words for the reviewers.")]
_Target = Annotated[
    str, typer.Option("-o", "--output", help="The file to write, or a folder for several; - is standard output.")
]
_Format = Annotated[str, typer.Option("--format", help="Of standard input: csv, jsonl or arrows.")]
_Trim = Annotated[bool, typer.Option("--trim", help="Take blanks off CSV cells.")]
_Version = Annotated[int, typer.Option("--masked-key-version", help="Of fpe columns that do not say theirs.")]


def add_to(app: typer.Typer) -> None:
    """Add the command that stands alone."""
    app.command()(unmask)


@app.command()
@client_command
async def plan(
    session: Session,
    table: _Table,
    schema: Annotated[str, typer.Option(help="A file with the table's columns.")],
    subject: _Subject = "",
    on_behalf_of: _OnBehalfOf = None,
    context: _Context = None,
) -> None:
    """Show which mask each column would get."""
    from pdp.v1.mask_pb2 import GetMaskPlanRequest

    with _refused():
        async with session.client() as client:
            scope = await _scope(client, table, subject, on_behalf_of, context)
            shape, opened = _shape(schema)
            opened.close()
            request = GetMaskPlanRequest(scope=scope, shape=shape)
            answer = await client.call(client.masks.GetMaskPlan, request)
    if not answer.HasField("plan"):
        _refuse(answer.decision)
    session.print(answer, lambda: _plan_table(answer.plan))
    raise typer.Exit(status(answer.decision))


@app.command()
@client_command
async def run(
    session: Session,
    files: _Files,
    table: _Table,
    output: _Target = "",
    keys: Annotated[
        Path | None, typer.Option(help="Mask here with this key file; whoever holds it can unmask without Placet.")
    ] = None,
    subject: _Subject = "",
    on_behalf_of: _OnBehalfOf = None,
    context: _Context = None,
    request_id: _RequestId = "",
    approval_id: _ApprovalId = "",
    justification: _Justification = "",
    form: _Format = "",
    trim: _Trim = False,
) -> None:
    """Mask files. Nothing of an output exists before all of it does.

    Exit status: 0 all is masked, 10 denied, 11 needs approval, 12 the approval does not count, 1 a value did not fit.
    """
    with _refused():
        async with session.client() as client:
            scope = await _scope(client, table, subject, on_behalf_of, context)
            scope.request_id, scope.approval_id, scope.justification = request_id, approval_id, justification
            for source, target in _targets(files, output):
                if keys is not None:
                    await _embedded(client, scope, keys, source, target, form, trim=trim)
                else:
                    await _streamed(client, scope, source, target, form, trim=trim)


@app.command()
@client_command
async def rewrap(
    session: Session,
    files: _Files,
    table: _Table,
    output: _Target = "",
    subject: _Subject = "",
    on_behalf_of: _OnBehalfOf = None,
    context: _Context = None,
    approval_id: _ApprovalId = "",
    justification: _Justification = "",
    masked_key_version: _Version = 0,
    form: _Format = "",
) -> None:
    """Move masked files to the active key version; nobody sees what is in them."""
    with _refused():
        async with session.client() as client:
            scope = await _scope(client, table, subject, on_behalf_of, context)
            scope.approval_id, scope.justification = approval_id, justification
            scope.masked_key_version = masked_key_version
            for source, target in _targets(files, output):
                await _streamed(client, scope, source, target, form, rewrap=True)


@client_command
async def unmask(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A masked file, up to 4 MiB of it.")],
    table: _Table,
    output: _Target = "",
    columns: Annotated[list[str] | None, typer.Option("--column", help="Only this one; may be repeated.")] = None,
    subject: _Subject = "",
    on_behalf_of: _OnBehalfOf = None,
    context: _Context = None,
    request_id: _RequestId = "",
    approval_id: _ApprovalId = "",
    justification: _Justification = "",
    masked_key_version: _Version = 0,
    form: _Format = "",
) -> None:
    """Reverse what the policy lets this subject reverse; an approval fits the very tokens in the file."""
    from masker.arrow.sinks import Sink
    from pdp import table as tables
    from pdp.v1.mask_pb2 import JsonRecords, MaskData, UnmaskRequest

    with _refused():
        async with session.client() as client:
            scope = await _scope(client, table, subject, on_behalf_of, context)
            scope.request_id, scope.approval_id, scope.justification = request_id, approval_id, justification
            scope.masked_key_version = masked_key_version
            ((path, target),) = _targets([file], output)
            with _opened(path, form) as source:
                data = MaskData()
                whole = tables.whole(source.batches(), source.schema)
                if source.form == "jsonl":
                    data.records.CopyFrom(JsonRecords(records=whole.column(0).to_pylist()))
                else:
                    data.arrow_stream = tables.written(whole, source.schema)
                if data.ByteSize() > UNMASK_BYTES:
                    exit_code.fail("this is more than 4 MiB; unmask fewer rows or columns at a time", exit_code.USAGE)
                request = UnmaskRequest(scope=scope, data=data, columns=columns or ())
                answer = await client.call(client.masks.Unmask, request)
                if not answer.HasField("data"):
                    _refuse(answer.decision)
                made, described = _rows(answer)
                with Sink(target, described, source.form if target == "-" else "") as sink:
                    sink.write(made)
    _summary(answer.plan, answer.rows, answer.record_id, target)


def _rows(answer: "UnmaskResponse") -> tuple[Any, Any]:
    from pdp import table

    if answer.data.WhichOneof("data") == "records":
        described = table.schema(answer.plan.output_schema, "output_schema")
        return table.record_batch(answer.data.records.records, described), described
    described, batch = table.read(answer.data.arrow_stream, "data")
    return batch, described


async def _streamed(
    client: "Client", scope: "MaskScope", path: str, target: str, form: str, *, trim: bool = False, rewrap: bool = False
) -> None:
    from masker.arrow.sinks import Sink
    from pdp import table
    from pdp.mask_client import MaskCall
    from pdp.v1.mask_pb2 import StreamStart

    shape, source = _shape(path, form, trim=trim)
    with source:
        call = MaskCall(client, StreamStart(scope=scope, shape=shape), source.schema, rewrap=rewrap)
        opened = await call.open(source.batches())
        if not opened.HasField("plan"):
            _refuse(opened.decision)
        described = table.schema(opened.plan.output_schema, "output_schema")
        form = source.form if target == "-" else ""
        with (
            Sink(target, described, form, codec=source.codec or "zstd") as sink,
            _progress(path, source.rows) as advance,
        ):
            async for batch in call.batches():
                await asyncio.to_thread(sink.write, batch)
                advance(batch.num_rows)
    assert call.end is not None  # noqa: S101  # else `batches` raised
    _summary(opened.plan, call.end.rows, call.end.record_id, target)


async def _embedded(
    client: "Client", scope: "MaskScope", keys: Path, path: str, target: str, form: str, *, trim: bool
) -> None:
    import masker
    from masker import file
    from pdp.v1.mask_pb2 import GetMaskPlanRequest
    from pdp.v1.request_pb2 import Effect

    shape, source = _shape(path, form, trim=trim)
    with source:
        request = GetMaskPlanRequest(scope=scope, shape=shape)
        answer = await client.call(client.masks.GetMaskPlan, request)
        if answer.decision.effect != Effect.EFFECT_ALLOW:
            _refuse(answer.decision)
        plan, keyring = masker.MaskPlan.from_json(answer.plan_json), masker.Keyring.load(keys)
        with _progress(path, source.rows) as advance:
            seen = [0]

            def progress(rows: int) -> None:
                advance(rows - seen[0])
                seen[0] = rows

            rows = await asyncio.to_thread(lambda: file.run(source, target, plan, keyring, progress=progress))
    _summary(answer.plan, rows, "", target)


async def _scope(
    client: "Client", table: str, subject: str, on_behalf_of: Sequence[str] | None, context: Sequence[str] | None
) -> "MaskScope":
    from google.protobuf import json_format

    from pdp.v1.info_pb2 import GetServerInfoRequest
    from pdp.v1.mask_pb2 import MaskScope

    if not subject:
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        subject = info.caller.identity
    scope = {
        "subject": typed(subject, "--subject"),
        "onBehalfOf": [typed(principal, "--on-behalf-of") for principal in on_behalf_of or []],
        "table": table,
        "context": members(context, "--context"),
    }
    return json_format.ParseDict(scope, MaskScope())


def _shape(path: str, form: str = "", *, trim: bool = False) -> "tuple[MaskShape, Source]":
    """What the file is, and the file, opened."""
    from masker.file import record_paths
    from pdp.mask_client import shape

    source = _opened(path, form, trim=trim)
    if source.form != "jsonl":
        return shape(source.schema), source
    paths, source = record_paths(source)
    return shape(source.schema, paths), source


def _opened(path: str, form: str, *, trim: bool = False) -> "Source":
    from masker.arrow.sources import source

    return source(path, form, trim=trim)


def _targets(files: Sequence[str], output: str) -> Iterator[tuple[str, str]]:
    """(file, output) for each: a folder takes several under their own names."""
    folder = Path(output)
    if output and output != "-" and (folder.is_dir() or output.endswith("/") or len(files) > 1):
        if not folder.is_dir():
            exit_code.fail(f"{output} is no folder; make it first", exit_code.USAGE)
        pairs = [(file, str(folder / Path(file).name)) for file in files]
    elif len(files) == 1 and (output or files[0] == "-"):
        pairs = [(files[0], output or "-")]
    else:
        exit_code.fail("name the output with -o: a file, or a folder for several", exit_code.USAGE)
    names = [target for _, target in pairs]
    if len(set(names)) < len(names) or any(
        Path(file).resolve() == Path(target).resolve() for file, target in pairs if target != "-"
    ):
        exit_code.fail("two outputs have one name, or an output is its own input; take another folder", exit_code.USAGE)
    yield from pairs


@contextmanager
def _progress(path: str, rows: int | None) -> Iterator[Callable[[int], None]]:
    """Rows and rows a second on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(Path(path).name, total=rows, rate="")

        def advance(more: int) -> None:
            bar.advance(task, more)
            speed = bar.tasks[task].speed
            bar.update(task, rate=f"{speed:,.0f} rows/s" if speed else "")

        yield advance


def _summary(plan: "MaskPlan", rows: int, record_id: str, target: str) -> None:
    """What was done, for people, on standard error."""
    typer.echo(_plan_table(plan), err=True)
    recorded = f", recorded as {record_id}" if record_id else ""
    typer.echo(f"{rows:,} rows to {'standard output' if target == '-' else target}{recorded}", err=True)


def _plan_table(plan: "MaskPlan") -> str:
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


def _refuse(decision: "AuthorizeResponse") -> NoReturn:
    from pdp.cli import display

    typer.echo(display.decision(decision), err=True)
    raise typer.Exit(status(decision) or exit_code.DENY)


@contextmanager
def _refused() -> Iterator[None]:
    """The masker's own refusals: a file, a value, a key."""
    try:
        import masker
    except ImportError:
        exit_code.fail("this needs the extra `mask`: pip install 'placet[mask]'")
    try:
        yield
    except masker.PlanRefused as error:
        exit_code.fail(str(error), exit_code.POLICY_ERROR)
    except masker.MaskError as error:
        exit_code.fail(str(error))
