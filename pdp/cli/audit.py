"""`pdp audit`: read, take and check the log."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command
from pdp.environment import Environment

if TYPE_CHECKING:
    from pdp.audit.export import Header
    from pdp.audit.verify import Anchor, Verifier
    from pdp.client import Client
    from pdp.v1.audit_pb2 import Batch

app = typer.Typer(name="audit", help="Read, take and check the log.", no_args_is_help=True)


@app.command("list")
@client_command
async def list_records(
    session: Session,
    kind: Annotated[str, typer.Option(help='Only this kind, for example "decision".')] = "",
    effect: Annotated[str, typer.Option(help="Only ALLOW, DENY or NEEDS_APPROVAL.")] = "",
    approval_id: Annotated[str, typer.Option(help="Only records of this approval.")] = "",
    page_size: Annotated[int, typer.Option(help="So many a page, up to 100.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
) -> None:
    """List records, newest first; a second may pass until a new one is listed."""
    from pdp.cli import display
    from pdp.v1.audit_pb2 import ListRecordsRequest, RecordSummary
    from pdp.v1.request_pb2 import Effect

    name = f"EFFECT_{effect.upper() or 'UNSPECIFIED'}"
    if name not in Effect.keys():  # noqa: SIM118  # an enum wrapper is no dict
        exit_code.fail("--effect must be ALLOW, DENY or NEEDS_APPROVAL", exit_code.USAGE)
    token = ""
    records: list[RecordSummary] = []
    async with session.client() as client:
        while True:
            request = ListRecordsRequest(
                page_size=page_size, page_token=token, kind=kind, effect=name, approval_id=approval_id
            )
            page = await client.audit.ListRecords(request, metadata=client.metadata, timeout=client.timeout)
            records += page.records
            token = page.next_page_token
            if not token or not everything:
                break
    session.print(records, lambda: display.record_table(records))
    if token:
        typer.echo("there are more; --all lists them", err=True)


@app.command()
@client_command
async def show(
    session: Session, record_id: Annotated[str, typer.Argument(metavar="ID", help="rec_… or dec_…")]
) -> None:
    """Show a record with its payload, as stored."""
    from pdp.v1.audit_pb2 import GetRecordRequest

    async with session.client() as client:
        found = await client.audit.GetRecord(
            GetRecordRequest(record_id=record_id), metadata=client.metadata, timeout=client.timeout
        )
    shown = {
        "record": json.loads(found.record),
        "payload": json.loads(found.payload or b"null"),
        "writer": found.writer.hex(),
        "seq": found.seq,
        "index": found.index,
    }
    typer.echo(json.dumps(shown, indent=None if session.output is Output.JSONL else 2))


@app.command()
@client_command
async def export(
    session: Session, file: Annotated[str, typer.Argument(help="Where to; - is standard output.")]
) -> None:
    """Write the whole log as JSON Lines, a line a batch, as stored."""
    from pdp.audit import export as form

    records = 0
    async with session.client() as client:
        header = await _header(client)
        with _whole_file(file) as target:
            target.write(form.header_line(header))
            async for batch in _batches(client):
                target.write(form.batch_line(batch))
                records += len(batch.records)
    typer.echo(f"{records} records exported", err=True)


@app.command()
@client_command
async def verify(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="An export; without it the live log.")] = None,
    since: Annotated[Path | None, typer.Option(help="An anchor of an earlier verification.")] = None,
    key: Annotated[Path | None, typer.Option(help="A JWK Set with the audit key that you trust.")] = None,
) -> None:
    """Check chain, signatures and content of the log; keep an anchor of what was seen.

    The live log is held against the newest anchor kept for its key. Exit status 13: it is not intact.
    """
    from pdp.audit.verify import Tampered

    state = Environment.read().state
    try:
        if file is not None:
            verifier, anchor = _verify_file(file, since, key)
        else:
            async with session.client() as client:
                verifier = _verifier(await _header(client), since, key, state)
                async for batch in _batches(client):
                    verifier.add(batch)
                anchor = verifier.finish()
    except Tampered as flaw:
        exit_code.fail(f"NOT INTACT: {flaw}", exit_code.AUDIT_FAILED)
    kept = _keep(anchor, state)
    _report(session, verifier, anchor, kept)


def _verify_file(file: Path, since: Path | None, key: Path | None) -> "tuple[Verifier, Anchor]":
    from pdp.audit import export as form
    from pdp.audit.verify import Tampered

    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as lines:
            header, batches = form.read(lines)
            verifier = _verifier(header, since, key, None)
            for batch in batches:
                verifier.add(batch)
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror}", exit_code.USAGE)
    except ValueError as error:
        raise Tampered("file", str(file), str(error)) from None
    if key is None:
        typer.echo(f"checked with the key that the file names, {verifier.kid}; give yours with --key", err=True)
    return verifier, verifier.finish()


def _verifier(header: "Header", since: Path | None, key: Path | None, state: Path | None) -> "Verifier":
    """A verifier for this realm; `state` is where to look for the newest anchor when none is named."""
    from pdp.audit.verify import Tampered, Verifier

    kid, public = _audit_key(json.loads(key.read_text()) if key else header.jwks)
    newest = _newest_anchor(state, kid) if state and not since else since
    anchor = _anchor(newest) if newest else None
    if anchor and (anchor.realm, anchor.key) != (header.realm, kid):
        raise Tampered("key", "the anchor", f"it is of realm {anchor.realm} and key {anchor.key}, not of this log")
    return Verifier(header.realm, public, kid, anchor)


def _audit_key(jwks: dict[str, Any]) -> tuple[str, Any]:
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    members = jwks.get("keys", [jwks])
    try:
        member = next(member for member in members if member.get("placet_use", "audit") == "audit")
        key = OKPKey.import_key(member)
    except (StopIteration, JoseError, ValueError, AttributeError):
        exit_code.fail("there is no audit key in this JWK Set", exit_code.USAGE)
    return key.thumbprint(), key.public_key


def _anchor(path: Path) -> "Anchor":
    from pdp.audit.verify import Anchor

    try:
        return Anchor.from_json(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        exit_code.fail(f"{path} is no anchor", exit_code.USAGE)


def _newest_anchor(state: Path, kid: str) -> Path | None:
    return max(state.glob(f"anchors/{kid}/*.json"), default=None)


def _keep(anchor: "Anchor", state: Path) -> Path:
    folder = state / "anchors" / anchor.key
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    path.write_bytes(anchor.to_json())
    return path


def _report(session: Session, verifier: "Verifier", anchor: "Anchor", kept: Path) -> None:
    typer.echo(f"intact: {verifier.records} records of {len(anchor.writers)} writers", err=True)
    typer.echo(
        "vouches for each writer up to this batch; what was dropped after it and after older anchors cannot be seen:",
        err=True,
    )
    if session.output is Output.TABLE:
        for writer, seen in anchor.writers.items():
            typer.echo(f"  writer {writer}  batch {seen.seq}  head {seen.head[:16]}")
    else:
        typer.echo(anchor.to_json().decode())
    typer.echo(
        f"anchor kept in {kept}; keep a copy away from the log, and next time: pdp audit verify --since {kept}",
        err=True,
    )


async def _header(client: "Client") -> "Header":
    from pdp.audit.export import Header
    from pdp.v1.info_pb2 import GetServerInfoRequest

    info = await client.info.GetServerInfo(GetServerInfoRequest(), metadata=client.metadata, timeout=client.timeout)
    return Header(info.realm, json.loads(info.jwks))


async def _batches(client: "Client") -> "AsyncIterator[Batch]":
    from pdp.v1.audit_pb2 import ExportRecordsRequest

    async for message in client.audit.ExportRecords(ExportRecordsRequest(), metadata=client.metadata):
        for batch in message.batches:
            yield batch


@contextmanager
def _whole_file(name: str) -> Iterator[TextIO]:
    """A file that appears under its name only when it is whole."""
    if name == "-":
        yield sys.stdout
        return
    part = Path(f"{name}.part")
    try:
        with part.open("w", encoding="utf-8") as target:
            yield target
        part.replace(name)
    finally:
        part.unlink(missing_ok=True)
