"""`pdp mask`: masks files, with the keys of the server or with a key file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import mask_jobs
from pdp.cli.decisions import status
from pdp.cli.mask_files import (
    Files,
    FromRow,
    Target,
    plan_table,
    progress,
    refusals,
    refuse,
    shape_of,
    summary,
    targets,
)
from pdp.cli.scope import Scope, scope_command
from pdp.cli.session import Session
from pdp.cli.streaming import streamed

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.mask_pb2 import MaskScope

app = typer.Typer(name="mask", help="Mask files as the policy says for this subject.", no_args_is_help=True)
app.add_typer(mask_jobs.app)


@app.command()
@scope_command()
async def plan(
    session: Session,
    scope: Scope,
    schema: Annotated[str, typer.Option(help="A file with the table's columns.")],
) -> None:
    """Show which mask each column would get."""
    from pdp.v1.mask_pb2 import GetMaskPlanRequest

    with refusals():
        async with session.client() as client:
            message = await scope.message(client)
            shape, opened = shape_of(schema, scope)
            opened.close()
            request = GetMaskPlanRequest(scope=message, shape=shape)
            answer = await client.call(client.masks.GetMaskPlan, request)
    if not answer.HasField("plan"):
        refuse(answer.decision)
    session.print(answer, lambda: plan_table(answer.plan))
    raise typer.Exit(status(answer.decision))


@app.command()
@scope_command("request_id", "approval_id", "justification")
async def run(
    session: Session,
    scope: Scope,
    files: Files,
    output: Target = "",
    keys: Annotated[
        Path | None,
        typer.Option(help="Mask on this machine with this key file; anyone who has it can unmask without Placet."),
    ] = None,
    from_row: FromRow = 0,
) -> None:
    """Mask files. An output appears only when all of it is masked.

    Exit status: 0 all is masked, 10 it is denied, 11 people have to review it first, 12 the approval does not count, 2
    a file cannot be read or written or a value does not fit its mask, 3 the masks do not fit the table, 1 anything
    else. Rows in errors count from 0.

    What takes longer than a stream may (30 minutes) goes on in another one, with a decision of its own. Where people
    would have to approve that, the output ends there, and the command says from which row to go on.
    """
    with refusals():
        async with session.client() as client:
            message = await scope.message(client)
            for source, target in targets(files, output):
                if keys is not None:
                    await _embedded(client, scope, message, keys, source, target, from_row)
                else:
                    await streamed(client, scope, message, source, target, from_row=from_row)


@app.command()
@scope_command("approval_id", "justification", "masked_key_version")
async def rewrap(
    session: Session,
    scope: Scope,
    files: Files,
    output: Target = "",
    from_row: FromRow = 0,
) -> None:
    """Move masked files to the active key version. Nobody sees the data that they hold."""
    with refusals():
        async with session.client() as client:
            message = await scope.message(client)
            for source, target in targets(files, output):
                await streamed(client, scope, message, source, target, from_row=from_row, rewrap=True)


async def _embedded(
    client: "Client", scope: Scope, message: "MaskScope", keys: Path, path: str, target: str, from_row: int
) -> None:
    import masker
    from masker import file
    from masker.kept_kernels import keep_kernels
    from pdp.environment import Environment
    from pdp.v1.mask_pb2 import GetMaskPlanRequest
    from pdp.v1.request_pb2 import Effect

    keep_kernels(Environment.read().tool_cache)
    shape, source = await asyncio.to_thread(shape_of, path, scope)
    with source:
        source = file.from_row(source, from_row)
        request = GetMaskPlanRequest(scope=message, shape=shape)
        answer = await client.call(client.masks.GetMaskPlan, request)
        if answer.decision.effect != Effect.EFFECT_ALLOW:
            refuse(answer.decision)
        plan, keyring = masker.MaskPlan.from_json(answer.plan_json), masker.Keyring.load(keys)
        with progress(path, source.rows) as advance:
            seen = [0]

            def told(rows: int) -> None:
                advance(rows - seen[0])
                seen[0] = rows

            rows = await asyncio.to_thread(lambda: file.run(source, target, plan, keyring, scope.layout, progress=told))
    summary(answer.plan, rows, "", target)
