"""`pdp audit`: reads, exports and verifies the log."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import anchors, exit_code, gaps, job_records, memory, verification
from pdp.cli.paging import PageSize
from pdp.cli.progress import Resume, unwritten
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
    record_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of a record, rec_…, of a decision, dec_…, or of a finished mask job, job_…"
        ),
    ],
) -> None:
    """Show a record with its payload, as they are stored.

    Of a mask job it shows the parts one by one; of many the first ones, and with -o json all.
    """
    from pdp.v1.audit_pb2 import GetRecordRequest

    async with session.client() as client:
        if record_id.startswith("job_"):
            record_id = await job_records.record_of(client, record_id)
        found = await client.call(client.audit.GetRecord, GetRecordRequest(record_id=record_id))
    session.print(found, lambda: _shown(found))


def _shown(found: "GetRecordResponse") -> str:
    """The record and its payload as readable JSON."""
    stored = {
        "record": _parsed(found.record),
        "payload": job_records.readable(_parsed(found.payload or b"null")),
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
    session: Session,
    file: Annotated[str, typer.Argument(help="The file to write; - is standard output.")],
    resume: Resume = None,
) -> None:
    """Write the whole log as JSON Lines.

    There is one line for each batch, as it is stored. With --resume, a run that was stopped is followed by one that
    goes on, and a later run adds what is new. FILE has its name only once it is complete; until then it is FILE.part.
    """
    from pdp.audit.verify import Tampered
    from pdp.cli import exporting

    if resume is not None and file == "-":
        exit_code.fail("--resume needs a FILE; standard output cannot be gone on with", exit_code.USAGE)
    memory.give_back()
    async with session.client() as client:
        try:
            records = await exporting.exported(client, file, resume)
        except Tampered as flaw:
            exit_code.fail(f"NOT INTACT: {flaw}", exit_code.VERIFICATION_FAILED)
    say(f"{records} records exported")


@app.command()
@client_command
async def verify(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="An exported log; by default the live log.")] = None,
    since: Annotated[Path | None, typer.Option(help="An anchor that an earlier verification kept.")] = None,
    key: Annotated[Path | None, typer.Option(help="A JWK Set with the audit key that you trust.")] = None,
    resume: Resume = None,
    accepted: Annotated[bool, typer.Option("--accepted", help="Let gaps pass that a person accepted.")] = False,
) -> None:
    """Check chain, signatures and content of the log.

    It keeps an anchor of what was seen. The live log is also compared with the newest anchor that was kept for it. With
    --resume, what an earlier run has read is not read again. Exit status: 0 the log is intact; 13 records are changed
    or missing, or a gap was accepted and --accepted is not given; 1 FILE is packed, encoded anew, doubled, cut or no
    exported log; 2 a file cannot be read.
    """
    from pdp.audit.verify import Tampered
    from pdp.cli.verify_progress import VerifyProgress

    if resume is not None and file is not None:
        exit_code.fail("--resume is for the live log; a file is read as a whole", exit_code.USAGE)
    state = Environment.read().state
    memory.give_back()
    try:
        with VerifyProgress.opened(resume) as progress:
            if file is not None:
                verifier, anchor = verification.of_file(file, since, key, progress)
            else:
                async with session.client() as client:
                    verifier, anchor = await verification.of_live(client, since, key, state, progress)
    except Tampered as flaw:
        exit_code.fail(f"NOT INTACT: {flaw}", exit_code.VERIFICATION_FAILED)
    except OSError as error:
        exit_code.fail(unwritten(error), exit_code.USAGE)
    gaps.tell_of(verifier.gaps.values(), accepted=accepted)
    _report(session, verifier, anchor)
    anchors.keep_and_tell(anchor, state, anchors.FILE if file else anchors.LIVE)


def _report(session: Session, verifier: "Verifier", anchor: "Anchor") -> None:
    say(f"intact: {verifier.records} records of {len(anchor.writers)} writers")
    if verifier.reviews.checked:
        say(f"{verifier.reviews.checked} reviews that their reviewers' passkeys signed")
    if verifier.reviews.not_checkable:
        erased = "what a passkey signed, or its key, was erased"
        say(f"{verifier.reviews.not_checkable} reviews are not checkable: {erased}")
    say(
        "vouches for each writer up to this batch; records that were dropped behind it and behind older anchors are "
        "not detected:"
    )
    if session.output is Output.TABLE:
        for writer, seen in anchor.writers.items():
            tell(f"  writer {writer}  batch {seen.seq}  head {seen.head[:16]}")
    else:
        give(anchor.to_json().decode())


app.command("accept-gap")(gaps.accept_gap)
