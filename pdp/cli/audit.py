"""`pdp audit`: reads, exports and verifies the log."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pdp.cli import anchors, exit_code, verification
from pdp.cli.paging import PageSize
from pdp.cli.session import Output, Session, client_command
from pdp.environment import Environment
from pdp.say import give, say, tell

if TYPE_CHECKING:
    from pdp.audit.verify import Anchor, Verifier
    from pdp.v1.audit_pb2 import GetRecordResponse

app = typer.Typer(name="audit", help="Read, export and verify the log.", no_args_is_help=True)


@app.command("list")
@client_command
async def list_records(
    session: Session,
    kind: Annotated[str, typer.Option(help='List only records of this kind, for example "decision".')] = "",
    effect: Annotated[
        str, typer.Option(help="List only decisions with this effect: ALLOW, DENY or NEEDS_APPROVAL.")
    ] = "",
    approval_id: Annotated[str, typer.Option(help="List only records of this approval.")] = "",
    page_size: PageSize = 50,
    everything: Annotated[bool, typer.Option("--all", help="List all pages.")] = False,
) -> None:
    """List records, newest first. It may take a second until a new record is listed."""
    from pdp.cli import tables
    from pdp.v1.audit_pb2 import ListRecordsRequest
    from pdp.v1.request_pb2 import Effect

    name = f"EFFECT_{effect.upper() or 'UNSPECIFIED'}"
    if name not in Effect.keys():  # noqa: SIM118  # an enum wrapper is not a dict
        exit_code.fail("--effect must be ALLOW, DENY or NEEDS_APPROVAL", exit_code.USAGE)
    query: dict[str, Any] = {"page_size": page_size, "kind": kind, "effect": name, "approval_id": approval_id}
    async with session.client() as client:
        page = await client.call(client.audit.ListRecords, ListRecordsRequest(**query))
        while everything and page.next_page_token:
            request = ListRecordsRequest(**query, page_token=page.next_page_token)
            more = await client.call(client.audit.ListRecords, request)
            page.next_page_token = more.next_page_token
            page.records.extend(more.records)
    session.print(page, lambda: tables.record_table(page.records), page.records)
    if page.next_page_token:
        say("there are more; --all lists them")


@app.command()
@client_command
async def show(
    session: Session,
    record_id: Annotated[str, typer.Argument(metavar="ID", help="The id of a record, rec_…, or of a decision, dec_…")],
) -> None:
    """Show a record with its payload, as they are stored."""
    from pdp.v1.audit_pb2 import GetRecordRequest

    async with session.client() as client:
        found = await client.call(client.audit.GetRecord, GetRecordRequest(record_id=record_id))
    session.print(found, lambda: _shown(found))


def _shown(found: "GetRecordResponse") -> str:
    """The record and its payload as readable JSON."""
    stored = {
        "record": _parsed(found.record),
        "payload": _parsed(found.payload or b"null"),
        "writer": found.writer.hex(),
        "seq": found.seq,
        "index": found.index,
    }
    return json.dumps(stored, indent=2)


def _parsed(stored: bytes) -> Any:
    """The parsed JSON, or the text if it is damaged."""
    try:
        return json.loads(stored)
    except ValueError:
        return stored.decode(errors="backslashreplace")


@app.command()
@client_command
async def export(
    session: Session, file: Annotated[str, typer.Argument(help="The file to write; - is standard output.")]
) -> None:
    """Write the whole log as JSON Lines.

    There is one line for each batch, as it is stored.
    """
    from pdp.audit.export import batch_line, header_line

    records = 0
    async with session.client() as client:
        header = await verification.header(client)
        with _whole_file(file) as target:
            target.write(header_line(header))
            async for batch in verification.batches(client):
                target.write(batch_line(batch))
                records += len(batch.records)
    say(f"{records} records exported")


@app.command()
@client_command
async def verify(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="An exported log; by default the live log.")] = None,
    since: Annotated[Path | None, typer.Option(help="An anchor that an earlier verification kept.")] = None,
    key: Annotated[Path | None, typer.Option(help="A JWK Set with the audit key that you trust.")] = None,
) -> None:
    """Check chain, signatures and content of the log.

    It keeps an anchor of what was seen. The live log is also compared with the newest anchor that was kept for it. Exit
    status: 0 the log is intact; 13 records are changed or missing; 1 FILE is packed, encoded anew, doubled, cut or no
    exported log; 2 a file cannot be read.
    """
    from pdp.audit.verify import Tampered

    state = Environment.read().state
    try:
        if file is not None:
            verified = verification.of_file(file, since, key)
        else:
            async with session.client() as client:
                verified = await verification.of_live(client, since, key, state)
        anchor = [verifier.finish() for verifier in verified][-1]
    except Tampered as flaw:
        exit_code.fail(f"NOT INTACT: {flaw}", exit_code.VERIFICATION_FAILED)
    _report(session, verified[-1], anchor)
    _keep(anchor, state, anchors.FILE if file else anchors.LIVE)


def _keep(anchor: "Anchor", state: Path, origin: str) -> None:
    """Keep the anchor. That it cannot be kept says nothing about the log, so it is a note."""
    try:
        kept = anchors.keep(anchor, state, origin)
    except OSError as error:
        say(
            f"note: the anchor could not be kept in {state} ({error.strerror}); keep this output in its place, as "
            "`-o json` prints it, and next time: pdp audit verify --since FILE"
        )
        return
    say(f"anchor kept in {kept}; keep a copy away from the log, and next time: pdp audit verify --since {kept}")


def _report(session: Session, verifier: "Verifier", anchor: "Anchor") -> None:
    say(f"intact: {verifier.records} records of {len(anchor.writers)} writers")
    if verifier.passkeys.checked:
        say(f"{verifier.passkeys.checked} reviews that their reviewers' passkeys signed")
    if verifier.passkeys.not_checkable:
        erased = "what a passkey signed, or its key, was erased"
        say(f"{verifier.passkeys.not_checkable} reviews are not checkable: {erased}")
    say(
        "vouches for each writer up to this batch; records that were dropped behind it and behind older anchors are "
        "not detected:"
    )
    if session.output is Output.TABLE:
        for writer, seen in anchor.writers.items():
            tell(f"  writer {writer}  batch {seen.seq}  head {seen.head[:16]}")
    else:
        give(anchor.to_json().decode())


@contextmanager
def _whole_file(name: str) -> Iterator[TextIO]:
    """A file that gets its name only when it is complete."""
    if name == "-":
        yield sys.stdout
        return
    part = Path(f"{name}.part")
    try:
        with part.open("w", encoding="utf-8") as target:
            yield target
        part.replace(name)
    except OSError as error:
        exit_code.fail(f"cannot write {name}: {error.strerror}", exit_code.USAGE)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
