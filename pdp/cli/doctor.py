"""`pdp doctor`: says what is wrong with a deployment."""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli.session import FORMAT, Output, format_of
from pdp.environment import Environment
from pdp.say import give, say, tell

if TYPE_CHECKING:
    from pdp.server.observed import Observed


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    config: Annotated[
        Path, typer.Option(envvar="PDP_CONFIG", show_envvar=True, metavar="FILE", help="The configuration in TOML.")
    ],
    output: FORMAT = None,
) -> None:
    """Say what is wrong with a deployment, and what to do.

    It looks at what a server of this configuration needs, on this machine and as this user, and changes nothing. A
    server may run meanwhile. Exit status: 0 nothing is wrong, though there may be warnings, else 1.
    """
    from pdp.server.observed import Level

    logging.disable(logging.CRITICAL)  # what a server would log is in the lines
    found = asyncio.run(_found(config))
    _print(found, format_of(output))
    wrong = sum(one.level is Level.WRONG for one in found)
    warnings = sum(one.level is Level.WARNING for one in found)
    say(f"{wrong} wrong, {warnings} to watch, {len(found) - wrong - warnings} ok")
    if wrong:
        raise typer.Exit(1)


async def _found(config: Path) -> "list[Observed]":
    from pdp.server.doctor import examined

    return [one async for one in examined(config, Environment.read().tool_cache)]


def _print(found: "Sequence[Observed]", output: Output) -> None:
    from pdp.cli.tables import table

    members = [{"what": one.what, "level": one.level.value, "sentence": one.sentence} for one in found]
    if output is Output.TABLE:
        tell(table(("LEVEL", "WHAT", "FOUND"), [(one.level.value, one.what, one.sentence) for one in found]))
    elif output is Output.JSON:
        give(json.dumps(members, indent=2, ensure_ascii=False))
    else:
        for member in members:
            give(json.dumps(member, ensure_ascii=False))
