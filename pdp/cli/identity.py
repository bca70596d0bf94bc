"""`pdp token` and `pdp whoami`: print a demo token, and the caller's own identity."""

from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import exit_code
from pdp.cli.session import Session, client_command
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.visible import name, visible

if TYPE_CHECKING:
    from pdp.v1.info_pb2 import GetServerInfoResponse


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(token)
    app.command()(whoami)


def token(
    as_name: Annotated[
        str,
        typer.Option("--as", metavar="NAME", help="The demo person: alice, bob, carol, dana, report-bot or dev."),
    ] = "dev",
) -> None:
    """Print a token for a demo person of `pdp dev`.

    It is valid for 15 minutes.
    """
    from pdp.dev import identity, presence

    environment = Environment.read()
    try:
        state, _ = presence.meant(environment, environment.address if environment.names_address else "")
        typer.echo(identity.token(state, as_name))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)


@client_command
async def whoami(session: Session) -> None:
    """Print my identity as the server knows it."""
    from pdp.v1.info_pb2 import GetServerInfoRequest

    async with session.client() as client:
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    session.print(info, lambda: _shown(info))


def _shown(info: "GetServerInfoResponse") -> str:
    caller = info.caller
    groups = f"; groups {', '.join(map(name, caller.groups))}" if caller.groups else ""
    missing = ", ".join(map(visible, caller.claims_elsewhere))
    elsewhere = f"\nits token only refers to {missing} (too many for it?), so none of them counts" if missing else ""
    return (
        f"{name(caller.identity)}, a {visible(caller.kind)}; roles {', '.join(map(visible, caller.roles))}{groups}\n"
        f"realm {visible(info.realm)}, policy {visible(info.policy_revision[:12])}, "
        f"Placet {visible(info.version)}, OPA {visible(info.opa_version)}{elsewhere}"
    )
