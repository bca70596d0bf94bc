"""`pdp policy replay`: whether a policy still answers what a record says that it answered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp import identifier
from pdp.cli import exit_code, verification
from pdp.cli.session import Session, client_command
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.say import say, tell
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.opa.replay import Recorded


def add_to(app: typer.Typer) -> None:
    """Add the command to `pdp policy`."""
    app.command()(replay)


@client_command
async def replay(
    session: Session,
    record_id: Annotated[str, typer.Argument(metavar="RECORD", help="A decision's id, dec_…, or its record's, rec_…")],
    policy: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the policy that decided.")],
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="An exported log; by default the server is asked.")
    ] = None,
    person_types: Annotated[
        list[str] | None,
        typer.Option("--person-type", metavar="TYPE", help="A type of identities that are people; by default user."),
    ] = None,
) -> None:
    """Decide a recorded request again.

    The policy gets the record's request, caller, time and lineage. A folder of another revision is told and decides
    nothing; what people said of an approval is not decided again. Exit status: 0 the answer is the same, 13 it differs,
    3 the folder is another policy or fails its check, 2 the record cannot be decided again.
    """
    from pdp.opa.replay import replayed
    from pdp.process import toolcache

    recorded = await _from_server(session, record_id) if file is None else _from_file(file, record_id)
    try:
        opa = toolcache.opa(Environment.read().tool_cache)
        again = await replayed(opa, policy, recorded, person_types=frozenset(person_types or ["user"]))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)
    tell(again.effect)
    for reason in again.reasons:
        tell(f"  {visible(reason.reason)}  [{visible(reason.rule)}]")
    if differs := recorded.differs(again):
        exit_code.fail(f"NOT AS RECORDED: {differs}", exit_code.VERIFICATION_FAILED)
    say(f"as recorded under policy {recorded.revision[:12]}")


async def _from_server(session: Session, record_id: str) -> "Recorded":
    from pdp.v1.audit_pb2 import GetRecordRequest

    async with session.client() as client:
        found = await client.call(client.audit.GetRecord, GetRecordRequest(record_id=record_id))
    return _recorded(found.record, found.salt, found.payload)


def _from_file(file: Path, record_id: str) -> "Recorded":
    """The record in an exported log."""
    from pdp.audit import export
    from pdp.audit.form import Form

    wanted = identifier.record_id(record_id) if record_id.startswith("dec_") else record_id
    try:
        with file.open("rb") as content, Form().lines(content) as lines:
            held = ((batch, at) for batch in export.read(lines)[1] for at in range(len(batch.records)))
            found = next(((batch, at) for batch, at in held if verification.id_of(batch.records[at]) == wanted), None)
    except (OSError, ValueError):
        exit_code.fail(f"{file} is not an exported log that can be read", exit_code.USAGE)
    if found is None:
        exit_code.fail(f"{file} has no record {visible(record_id)}", exit_code.USAGE)
    batch, at = found
    return _recorded(batch.records[at], batch.payloads[at].salt, batch.payloads[at].payload)


def _recorded(record: bytes, salt: bytes, payload: bytes) -> "Recorded":
    from pdp.opa.replay import NotReplayable, Recorded

    try:
        return Recorded.of(record, salt, payload)
    except NotReplayable as error:
        exit_code.fail(error.sentence, exit_code.USAGE)
