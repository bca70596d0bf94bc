"""`pdp audit`: read, take and check the log."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pdp.cli import anchors, exit_code
from pdp.cli.session import Output, Session, client_command
from pdp.environment import Environment

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pdp.audit.export import Header
    from pdp.audit.verify import Anchor, Verifier
    from pdp.client import Client
    from pdp.v1.audit_pb2 import Batch, GetRecordResponse

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
    from pdp.v1.audit_pb2 import ListRecordsRequest
    from pdp.v1.request_pb2 import Effect

    name = f"EFFECT_{effect.upper() or 'UNSPECIFIED'}"
    if name not in Effect.keys():  # noqa: SIM118  # an enum wrapper is no dict
        exit_code.fail("--effect must be ALLOW, DENY or NEEDS_APPROVAL", exit_code.USAGE)
    query: dict[str, Any] = {"page_size": page_size, "kind": kind, "effect": name, "approval_id": approval_id}
    async with session.client() as client:
        page = await client.call(client.audit.ListRecords, ListRecordsRequest(**query))
        while everything and page.next_page_token:
            request = ListRecordsRequest(**query, page_token=page.next_page_token)
            more = await client.call(client.audit.ListRecords, request)
            page.next_page_token = more.next_page_token
            page.records.extend(more.records)
    session.print(page, lambda: display.record_table(page.records), page.records)
    if page.next_page_token:
        typer.echo("there are more; --all lists them", err=True)


@app.command()
@client_command
async def show(
    session: Session, record_id: Annotated[str, typer.Argument(metavar="ID", help="rec_… or dec_…")]
) -> None:
    """Show a record with its payload, as stored."""
    from pdp.v1.audit_pb2 import GetRecordRequest

    async with session.client() as client:
        found = await client.call(client.audit.GetRecord, GetRecordRequest(record_id=record_id))
    session.print(found, lambda: _shown(found))


def _shown(found: "GetRecordResponse") -> str:
    """The record and its payload side by side, readable."""
    stored = {
        "record": _parsed(found.record),
        "payload": _parsed(found.payload or b"null"),
        "writer": found.writer.hex(),
        "seq": found.seq,
        "index": found.index,
    }
    return json.dumps(stored, indent=2)


def _parsed(stored: bytes) -> Any:
    """JSON, or the text of what was damaged."""
    try:
        return json.loads(stored)
    except ValueError:
        return stored.decode(errors="backslashreplace")


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

    The live log is also held against the newest anchor kept for it. Exit status 13: it is not intact, and so is a FILE
    that is no export; 2: a file cannot be read.
    """
    from pdp.audit.verify import Tampered

    state = Environment.read().state
    try:
        if file is not None:
            verified = _verify_file(file, since, key)
        else:
            async with session.client() as client:
                verified = await _verify_live(client, since, key, state)
        anchor = [verifier.finish() for verifier in verified][-1]
    except Tampered as flaw:
        exit_code.fail(f"NOT INTACT: {flaw}", exit_code.AUDIT_FAILED)
    kept = anchors.keep(anchor, state, anchors.FILE if file else anchors.LIVE)
    _report(session, verified[-1], anchor, kept)


async def _verify_live(client: "Client", since: Path | None, key: Path | None, state: Path) -> "list[Verifier]":
    from pdp.audit.verify import Tampered

    header = await _header(client)
    try:
        kid, public = _trusted(key) if key else _audit_key(header.jwks)
    except ValueError as error:
        raise Tampered("key", "the server", str(error)) from None
    known = anchors.keys(state, header.realm)
    if known and kid not in known and not key:
        what = (
            f"it names {kid}, but verifications before saw {', '.join(known)}; give the one that you trust with --key"
        )
        raise Tampered("key", "the server", what)
    newest = anchors.newest(state, header.realm, kid)
    verifiers = [_verifier(header, kid, public, path) for path in {since or newest, newest}]
    async for batch in _batches(client):
        for verifier in verifiers:
            verifier.add(batch)
    return verifiers


def _verify_file(file: Path, since: Path | None, key: Path | None) -> "list[Verifier]":
    from pdp.audit import export as form
    from pdp.audit.verify import Tampered

    trusted = _trusted(key) if key else None
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as lines:
            header, batches = form.read(lines)
            verifier = _verifier(header, *(trusted or _audit_key(header.jwks)), since)
            for batch in batches:
                verifier.add(batch)
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror}", exit_code.USAGE)
    except (ValueError, RecursionError) as error:
        raise Tampered("file", str(file), str(error)) from None
    if not trusted:
        typer.echo(f"checked with the key that the file names, {verifier.kid}; give yours with --key", err=True)
    return [verifier]


def _trusted(path: Path) -> tuple[str, "Ed25519PublicKey"]:
    """The audit key in the user's own file; ends where there is none."""
    try:
        return _audit_key(json.loads(path.read_bytes()))
    except OSError as error:
        exit_code.fail(f"cannot read {path}: {error.strerror}", exit_code.USAGE)
    except ValueError as error:
        exit_code.fail(f"{path}: {error}", exit_code.USAGE)


def _verifier(header: "Header", kid: str, public: "Ed25519PublicKey", since: Path | None) -> "Verifier":
    from pdp.audit.verify import Tampered, Verifier

    anchor = anchors.read(since) if since else None
    if anchor and (anchor.realm, anchor.key) != (header.realm, kid):
        raise Tampered("key", f"the anchor {since}", f"is of realm {anchor.realm}, key {anchor.key}, not of this log")
    return Verifier(header.realm, public, kid, anchor)


def _audit_key(jwks: dict[str, Any]) -> tuple[str, "Ed25519PublicKey"]:
    """The audit key's thumbprint and the key. `ValueError` where there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    try:
        members = [member for member in jwks.get("keys", [jwks]) if member.get("placet_use", "audit") == "audit"]
        key = OKPKey.import_key(members[0])
    except (JoseError, ValueError, LookupError, TypeError, AttributeError):
        raise ValueError("there is no audit key in this JWK Set") from None
    if not isinstance(key.public_key, Ed25519PublicKey):
        raise ValueError("the audit key in this JWK Set is not of Ed25519")  # noqa: TRY004  # bad text, not a bad type
    return key.thumbprint(), key.public_key


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

    info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
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
    except OSError as error:
        exit_code.fail(f"cannot write {name}: {error.strerror}", exit_code.USAGE)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
