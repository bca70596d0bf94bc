"""`pdp token` and `pdp whoami`."""

from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command, json_text
from pdp.environment import Environment
from pdp.errors import PdpError


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(token)
    app.command()(whoami)


def token(
    as_name: Annotated[str, typer.Option("--as", help="alice, bob, carol, dana, report-bot or dev.")] = "dev",
) -> None:
    """Print a token for one of the demo people of `pdp dev`, valid for 15 minutes."""
    from pdp import dev_identity

    try:
        typer.echo(dev_identity.token(Environment.read().state, as_name))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)


@client_command
async def whoami(session: Session) -> None:
    """Say who I am to the server."""
    from pdp.v1.info_pb2 import GetServerInfoRequest

    async with session.client() as client:
        info = await client.info.GetServerInfo(GetServerInfoRequest(), metadata=client.metadata, timeout=client.timeout)
    caller = info.caller
    if session.output is Output.TABLE:
        groups = f"; groups {', '.join(caller.groups)}" if caller.groups else ""
        typer.echo(f"{caller.identity}, a {caller.kind}; roles {', '.join(caller.roles)}{groups}")
        typer.echo(
            f"realm {info.realm}, policy {info.policy_revision[:12]}, Placet {info.version}, OPA {info.opa_version}"
        )
    else:
        typer.echo(json_text(info, indent=2 if session.output is Output.JSON else None))
