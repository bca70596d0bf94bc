"""`pdp mongo`: makes a MongoDB ready, without its shell."""

import asyncio
import json
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.errors import PdpError, SetupError
from pdp.say import give, say

app = typer.Typer(name="mongo", help="Make a MongoDB ready for the server.", no_args_is_help=True)

_SECONDS = 60.0
"""Seconds until a new set has its primary: some ten is usual."""
_NO_PRIMARY = (
    f"it has no primary after {_SECONDS:g} s; the address must be one at which it reaches itself, a majority of the "
    "set must be up, and it must not have been removed from its set"
)


@app.callback()
def mongo() -> None:
    """Make a MongoDB ready for the server."""


@app.command()
def init(
    uri: Annotated[
        str, typer.Option(metavar="URI", help="One mongod that was started with --replSet, as a MongoDB URI.")
    ] = "mongodb://127.0.0.1:27017",
    host: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="How servers and other members reach it, if not as the URI says."),
    ] = "",
) -> None:
    """Make a mongod a replica set of one member.

    It does what rs.initiate() does; where that was done already, it changes nothing. A set without this member is an
    error.

    Example: mongod --replSet rs0 --dbpath data, and then: pdp mongo init
    """
    try:
        member, made = asyncio.run(_initiated(uri, host))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))
    except TimeoutError:
        exit_code.fail(_NO_PRIMARY)
    say(f"the replica set's first member is {member}" if made else "it is a replica set already")


@app.command()
def roles(
    database: Annotated[str, typer.Option(metavar="NAME", help="`database` in the server's configuration.")] = "placet",
    user: Annotated[str, typer.Option(metavar="NAME", help="The user of servers.")] = "placet",
) -> None:
    """Print the least rights of a server's user.

    It prints two commands of MongoDB as JSON: createRole, and createUser, to which you add `pwd`. Run both on the
    database, such as with db.runCommand in mongosh. The command itself connects to nothing.
    """
    from pdp.store.roles import commands

    try:
        give(json.dumps(commands(database, user), indent=2))
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)


async def _initiated(uri: str, host: str) -> tuple[str, bool]:
    from pdp.store import replica_set

    member = host or replica_set.address(uri)
    async with asyncio.timeout(_SECONDS):
        return member, await replica_set.initiate(member, uri)
