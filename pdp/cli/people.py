"""`pdp people`: what an operator does for people who left."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.errors import PdpError
from pdp.say import tell
from pdp.visible import name

app = typer.Typer(name="people", help="End what lets somebody in who left.", no_args_is_help=True)


@app.callback()
def people() -> None:
    """End what lets somebody in who left."""


@app.command()
def end(
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="Who left, such as user:bob.")],
    config: Annotated[
        Path, typer.Option(envvar="PDP_CONFIG", show_envvar=True, metavar="FILE", help="The configuration in TOML.")
    ],
) -> None:
    """End all sessions, links, passkeys and choices of a person at once.

    Close the account at the identity provider first, and take the person out of the policy's data: a new login begins
    a new session. It needs the server's configuration, keys and MongoDB; servers may run. Each end is recorded.
    """
    from pdp.config import load
    from pdp.server import leaving

    kind, colon, identifier = identity.partition(":")
    if not (kind and colon and identifier):
        exit_code.fail("IDENTITY is <type>:<id>, such as user:bob", exit_code.USAGE)
    try:
        ended = asyncio.run(leaving.end(load(config), identity))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))
    tell(
        f"ended of {name(identity)}: sessions {ended.sessions}, links {ended.links}, passkeys {ended.passkeys}, "
        f"preferences {ended.preferences}"
    )
