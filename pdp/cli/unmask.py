"""`pdp unmask`: reverses the masks of a file, for a subject that may see the data."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code
from pdp.cli.mask_files import Target, opened, refusals, refuse, summary, targets
from pdp.cli.scope import Scope, scope_command
from pdp.cli.session import Session

if TYPE_CHECKING:
    from pdp.v1.mask_pb2 import UnmaskResponse

UNMASK_BYTES = 4 * 1024 * 1024 - 64 * 1024
"""Bytes of data in one call: a message holds 4 MiB, and 64 KiB of it are left for the scope and the columns."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unmask)


@scope_command("request_id", "approval_id", "justification", "masked_key_version")
async def unmask(
    session: Session,
    scope: Scope,
    path: Annotated[str, typer.Argument(metavar="FILE", help="A masked file of at most 4 MiB of data.")],
    output: Target = "",
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Reverse only this column; may be repeated.")
    ] = None,
) -> None:
    """Reverse the masks that the policy lets this subject reverse. An approval fits exactly the tokens in the file."""
    from masker import file
    from pdp.arrow import table
    from pdp.v1.mask_pb2 import JsonRecords, MaskData, UnmaskRequest

    with refusals():
        async with session.client() as client:
            message = await scope.message(client)
            ((_, target),) = targets([path], output)
            with opened(path, scope) as source:
                data = MaskData()
                whole = table.whole(source.batches(), source.schema)
                if source.is_records:
                    data.records.CopyFrom(JsonRecords(records=whole.column(0).to_pylist()))
                else:
                    data.arrow_stream = table.written(whole, source.schema)
                if data.ByteSize() > UNMASK_BYTES:
                    exit_code.fail(_too_large(path, whole.num_rows, data.ByteSize()), exit_code.USAGE)
                request = UnmaskRequest(scope=message, data=data, columns=columns or ())
                answer = await client.call(client.masks.Unmask, request)
                if not answer.HasField("data"):
                    refuse(answer.decision)
                made, described = _rows(answer)
                with file.sink_of(source, target, described, scope.layout) as sink:
                    sink.write(made)
                    file.require_rows(whole.num_rows, sink.rows)
    summary(answer.plan, answer.rows, answer.record_id, target)


def _too_large(path: str, rows: int, size: int) -> str:
    """What to do with a file that is too large for one call.

    The command does not cut it into several calls, because an approval fits exactly the tokens of one call, once, and a
    request id names one call.
    """
    at_a_time = max(rows * UNMASK_BYTES * 9 // (size * 10), 1)  # a tenth less than fits, because rows differ in size
    return (
        f"{path} has {rows:,} rows, {size / 2**20:.1f} MiB of data; one call unmasks at most 4 MiB, and an approval "
        f"fits exactly the tokens of one call. Cut the file into parts of about {at_a_time:,} rows, or leave out "
        "columns that you do not need, and unmask each part by itself. If people must approve it, each part needs an "
        "approval"
    )


def _rows(answer: "UnmaskResponse") -> tuple[Any, Any]:
    from pdp.arrow import table

    if answer.data.WhichOneof("data") == "records":
        described = table.schema(answer.plan.output_schema, "output_schema")
        return table.record_batch(answer.data.records.records, described), described
    described, batch = table.read(answer.data.arrow_stream, "data")
    return batch, described
