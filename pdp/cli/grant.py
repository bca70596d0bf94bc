"""`pdp grant`: checks a grant, the signed proof of an allow."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import asked, exit_code, request_file
from pdp.cli.session import Output, Session, client_command
from pdp.say import give

app = typer.Typer(name="grant", help="Check grants, the signed proofs of allows.", no_args_is_help=True)


@app.callback()
def grant() -> None:
    """Check grants, the signed proofs of allows."""


@app.command()
@client_command
async def verify(
    session: Session,
    request: Annotated[
        str, typer.Option(metavar="FILE", help="What is about to run: a Request or AuthorizeRequest in JSON.")
    ],
    proof: Annotated[str, typer.Argument(metavar="[GRANT]", help="The grant; - is standard input.")] = "-",
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The published JWK Set; with --realm and --caller the command asks no server."
        ),
    ] = None,
    realm: Annotated[str, typer.Option(metavar="NAME", help="The realm; by default that of the server.")] = "",
    caller: Annotated[
        str, typer.Option(metavar="TYPE:ID", help="The caller; by default your identity at the server.")
    ] = "",
    at: Annotated[
        datetime | None, typer.Option(metavar="TIME", help="The time (UTC) for the check; by default now.")
    ] = None,
) -> None:
    """Check a grant against what is about to run, and print its claims.

    The request must have the chain that the answer had in `on_behalf_of`. Exit status: 0 the grant is valid, 13 it is
    not.
    """
    from pdp.canonical import canonical
    from pdp.grant import GrantInvalid, verify_grant

    _ = caller and asked.typed(caller, "--caller")
    requests, _ = request_file.read(request)
    published = _text(keys) if keys else ""
    if not (published and realm and caller):
        published, realm, caller = await _from_server(session, published, realm, caller)
    text = sys.stdin.read() if proof == "-" else proof
    try:
        claims = verify_grant(
            text.strip(),
            published,
            caller=caller,
            digest=canonical(requests[0], realm).digest,
            realm=realm,
            now=at.replace(tzinfo=UTC) if at else None,
        )
    except GrantInvalid as error:
        exit_code.fail(f"NOT VALID: {error.sentence}", exit_code.VERIFICATION_FAILED)
    give(json.dumps(claims, indent=None if session.output is Output.JSONL else 2))


async def _from_server(session: Session, published: str, realm: str, caller: str) -> tuple[str, str, str]:
    """Keys, realm and caller; the server names those that were not given."""
    from pdp.v1.info_pb2 import GetServerInfoRequest

    async with session.client() as client:
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    return published or info.jwks, realm or info.realm, caller or info.caller.identity


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        exit_code.fail(f"cannot read {file}", exit_code.USAGE)
