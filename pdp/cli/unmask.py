"""`pdp unmask`: reverses the masks of a file, for a subject that may see the data."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pdp.cli import exit_code
from pdp.cli.mask_files import Target, progress, refusals, refuse, summary, targets
from pdp.cli.rereading import reopened, whole_shape
from pdp.cli.scope import Scope, scope_command
from pdp.cli.session import Session
from pdp.visible import printable

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.client import Client
    from pdp.client.unmasking import UnmaskCall
    from pdp.v1.decision_pb2 import AuthorizeResponse
    from pdp.v1.mask_pb2 import MaskPlan, MaskScope, MaskShape, UnmaskStreamStart


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unmask)


@scope_command("request_id", "approval_id", "justification", "masked_key_version")
async def unmask(
    session: Session,
    scope: Scope,
    path: Annotated[str, typer.Argument(metavar="FILE", help="A masked file; - is standard input.")],
    output: Target = "",
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Reverse only this column; may be repeated.")
    ] = None,
) -> None:
    """Reverse the masks that the policy lets this subject reverse. One approval fits exactly the tokens in the file.

    The file is read twice, JSON three times: first for the hash of its tokens, which is decided and approved, then to
    unmask it. What comes through a pipe is copied to a temporary file without a name. If the connection breaks, the
    command goes on by itself for ten minutes. The output appears only when all of it is unmasked: a command that is
    ended leaves nothing, and needs another approval.

    Exit status: 0 all is unmasked, 10 it is denied, 11 people have to review it first, 12 the approval does not count,
    2 a file cannot be read or written or a token is not valid, 3 the masks do not fit the table, 69 the server stays
    away, 1 anything else. Rows in errors count from 0.
    """
    from pdp.arrow import chunks
    from pdp.client.unmasking import Stopped, UnmaskCall

    with refusals():
        async with session.client() as client:
            message = await scope.message(client)
            ((_, target),) = targets([path], output)
            async with reopened(path, scope) as opened:
                start = await _announced(client, message, path, opened, columns or [])
                with opened() as source:
                    made = chunks.cut(source.batches(), source.schema)
                    async with UnmaskCall(client, start, made, source.schema, told=_say) as call:
                        if not (await call.open()).HasField("plan"):
                            _wait_for_people(call.opened.decision)
                        try:
                            await _written(call, source, path, target, scope)
                        except Stopped as stopped:
                            refuse(stopped.decision)
    assert call.end is not None  # noqa: S101  # else `batches` raised
    summary(call.opened.plan, call.end.rows, call.end.record_id, target)


async def _announced(
    client: "Client", message: "MaskScope", path: str, opened: "Callable[[], Source]", columns: list[str]
) -> "UnmaskStreamStart":
    """What is to be approved: the first reading of the file."""
    from pdp.arrow import chunks
    from pdp.client.unmasking import announced, reversed_columns

    shape = await asyncio.to_thread(whole_shape, opened)
    plan = await _planned(client, message, shape, columns)
    with opened() as source, progress(f"{path} (reading)", source.rows) as told:
        made = chunks.cut(source.batches(), source.schema)
        return await asyncio.to_thread(announced, message, shape, reversed_columns(plan), made, told)


async def _planned(client: "Client", message: "MaskScope", shape: "MaskShape", columns: list[str]) -> "MaskPlan":
    from pdp.v1.mask_pb2 import GetMaskPlanRequest

    request = GetMaskPlanRequest(scope=message, shape=shape, unmask=True, columns=columns)
    answer = await client.call(client.masks.GetMaskPlan, request)
    if not answer.HasField("plan"):
        refuse(answer.decision)
    return answer.plan


async def _written(call: "UnmaskCall", source: "Source", path: str, target: str, scope: Scope) -> None:
    """Write what comes back, in its order."""
    from masker import file
    from pdp.arrow import table

    described = table.schema(call.opened.plan.output_schema, "output_schema")
    with file.sink_of(source, target, described, scope.layout) as sink, progress(path, source.rows) as told:
        async for batch in call.batches():
            await asyncio.to_thread(sink.write, batch)
            told(batch.num_rows)
        assert call.end is not None  # noqa: S101  # else `batches` raised
        file.require_rows(call.end.rows, sink.rows)


def _wait_for_people(decision: "AuthorizeResponse") -> NoReturn:
    """Print a decision that is not an allow, and how to go on where people have to review it."""
    from pdp.cli import display
    from pdp.cli.decisions import status

    if status(decision) != exit_code.NEEDS_APPROVAL:
        refuse(decision)
    approval_id = decision.approval.approval_id
    typer.echo(display.decision(decision), err=True)
    exit_code.fail(
        f"`pdp approvals wait {approval_id}` waits for the reviews. When it is approved, run this command again with "
        f"--approval-id {approval_id}: the approval fits the tokens that the file holds now",
        exit_code.NEEDS_APPROVAL,
    )


def _say(sentence: str) -> None:
    typer.echo(printable(sentence), err=True)
