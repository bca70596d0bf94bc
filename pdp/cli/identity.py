"""`pdp token` and `pdp whoami`: print a demo token, and the caller's own identity."""

from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import exit_code
from pdp.cli.session import Session, client_command
from pdp.duration import duration_ms
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.say import tell
from pdp.visible import name, visible

if TYPE_CHECKING:
    from pdp.v1.info_pb2 import GetServerInfoResponse

MOST_HOURS = 24
"""Hours for which a demo token may be valid: a producer of lineage keeps the one of its settings for a day."""
_SECOND_MS, _HOUR_MS = 1000, 3_600_000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(token)
    app.command()(whoami)


def token(
    as_name: Annotated[
        str,
        typer.Option("--as", metavar="NAME", help="The demo person: alice, bob, carol, dana, report-bot, dev or etl."),
    ] = "dev",
    valid: Annotated[
        str, typer.Option("--for", metavar="TIME", help='How long it is valid, at most "24h", such as "90m".')
    ] = "15m",
) -> None:
    """Print a token for a demo person of `pdp dev`."""
    from pdp.dev import identity, presence

    environment = Environment.read()
    try:
        state, _ = presence.meant(environment, environment.address if environment.names_address else "")
        tell(identity.token(state, as_name, _seconds(valid)))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)


def _seconds(valid: str) -> int:
    """Raises `BadParameter`."""
    milliseconds = duration_ms(valid) or 0
    if not _SECOND_MS <= milliseconds <= MOST_HOURS * _HOUR_MS:
        raise typer.BadParameter(f"is a time of at most {MOST_HOURS}h, such as 90m", param_hint="--for")
    return milliseconds // _SECOND_MS


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
