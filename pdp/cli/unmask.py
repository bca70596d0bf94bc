"""`pdp unmask`: a masked file as it was, for those who may."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code
from pdp.cli.mask_files import (
    ApprovalId,
    Context,
    Format,
    Justification,
    OnBehalfOf,
    RequestId,
    Subject,
    Table,
    Target,
    Version,
    opened,
    refusals,
    refuse,
    scope_of,
    summary,
    targets,
)
from pdp.cli.session import Session, client_command

if TYPE_CHECKING:
    from pdp.v1.mask_pb2 import UnmaskResponse

UNMASK_BYTES = 4 * 1024 * 1024 - 64 * 1024


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unmask)


@client_command
async def unmask(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A masked file, up to 4 MiB of it.")],
    table: Table,
    output: Target = "",
    columns: Annotated[list[str] | None, typer.Option("--column", help="Only this one; may be repeated.")] = None,
    subject: Subject = "",
    on_behalf_of: OnBehalfOf = None,
    context: Context = None,
    request_id: RequestId = "",
    approval_id: ApprovalId = "",
    justification: Justification = "",
    masked_key_version: Version = 0,
    form: Format = "",
) -> None:
    """Reverse what the policy lets this subject reverse; an approval fits the very tokens in the file."""
    from masker.arrow.sinks import Sink
    from pdp.arrow import table as tables
    from pdp.v1.mask_pb2 import JsonRecords, MaskData, UnmaskRequest

    with refusals():
        async with session.client() as client:
            scope = await scope_of(client, table, subject, on_behalf_of, context)
            scope.request_id, scope.approval_id, scope.justification = request_id, approval_id, justification
            scope.masked_key_version = masked_key_version
            ((path, target),) = targets([file], output)
            with opened(path, form) as source:
                data = MaskData()
                whole = tables.whole(source.batches(), source.schema)
                if source.form == "jsonl":
                    data.records.CopyFrom(JsonRecords(records=whole.column(0).to_pylist()))
                else:
                    data.arrow_stream = tables.written(whole, source.schema)
                if data.ByteSize() > UNMASK_BYTES:
                    exit_code.fail(_too_large(path, whole.num_rows, data.ByteSize()), exit_code.USAGE)
                request = UnmaskRequest(scope=scope, data=data, columns=columns or ())
                answer = await client.call(client.masks.Unmask, request)
                if not answer.HasField("data"):
                    refuse(answer.decision)
                made, described = _rows(answer)
                with Sink(target, described, source.form if target == "-" else "") as sink:
                    sink.write(made)
    summary(answer.plan, answer.rows, answer.record_id, target)


def _too_large(path: str, rows: int, size: int) -> str:
    """Why this is not cut into several calls, and what to do.

    An approval fits the very tokens of one call, once, and a request id names one call.
    """
    at_a_time = max(rows * UNMASK_BYTES * 9 // (size * 10), 1)  # not all rows are of one size
    return (
        f"{path} has {rows:,} rows, {size / 2**20:.1f} MiB of data; one call unmasks at most 4 MiB, and an approval "
        f"fits the very tokens of one call. Cut the file into parts of about {at_a_time:,} rows, or leave out columns "
        "that you do not need, and unmask each part by itself; where people approve, each part has its own approval"
    )


def _rows(answer: "UnmaskResponse") -> tuple[Any, Any]:
    from pdp.arrow import table

    if answer.data.WhichOneof("data") == "records":
        described = table.schema(answer.plan.output_schema, "output_schema")
        return table.record_batch(answer.data.records.records, described), described
    described, batch = table.read(answer.data.arrow_stream, "data")
    return batch, described
