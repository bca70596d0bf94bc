"""`pdp dev` and `pdp demo`: the whole stack on this machine."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.cli.serve import run_until_stopped, say, stop_signal, stopped
from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.errors import SetupError

_SIGNALLED = 128


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(context_settings={"allow_interspersed_args": False})(dev)
    app.command()(demo)


def dev(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND [ARGS]...]", help="Run just for this command.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="A folder of Rego and data instead of the reference policy.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Where MongoDB and keys are kept: .placet, or with COMMAND a temporary folder.")
    ] = None,
    listen: Annotated[
        str, typer.Option(help=f"host:port on loopback: {DEFAULT_ADDRESS}, or with COMMAND a free port.")
    ] = "",
) -> None:
    """Run OPA, MongoDB and a decision point with demo people, until Ctrl-C or just for COMMAND.

    COMMAND finds PDP_ADDRESS, PDP_STATE and PDP_TOKEN (of `dev`) in its environment; the exit status is its own, or
    128 + n after signal n.
    """
    try:
        if command:
            raise typer.Exit(_for_command(command, policy or [], state, listen or "127.0.0.1:0"))
        run_until_stopped(_in_foreground(policy or [], state or Environment.read().state, listen or DEFAULT_ADDRESS))
    except SetupError as error:
        exit_code.fail(error.sentence)


def demo() -> None:
    """Tell the story of one export: asked, refused, approved by two people, used once, proved."""
    try:
        raise typer.Exit(_for_command([sys.executable, "-m", "pdp.cli.story"], [], None, "127.0.0.1:0"))
    except SetupError as error:
        exit_code.fail(error.sentence)


async def _in_foreground(policy: Sequence[Path], state: Path, listen: str) -> None:
    from pdp.stack import stack

    stop = stop_signal()
    async with stack(state=state, listen=listen, policy=policy, tool_cache=_tools(), say=say) as server:
        say(_welcome(server.address, state, policy))
        await stopped(stop, server)
        say("draining")


def _for_command(command: Sequence[str], policy: Sequence[Path], state: Path | None, listen: str) -> int:
    """Run the stack just for a command, in `state` or in a folder that is removed afterwards; its exit status."""
    with tempfile.TemporaryDirectory(prefix="placet-dev-") as temporary:
        statuses: list[int] = []
        run_until_stopped(_around(command, policy, (state or Path(temporary)).resolve(), listen, statuses))
        return statuses[0]


async def _around(
    command: Sequence[str], policy: Sequence[Path], state: Path, listen: str, statuses: list[int]
) -> None:
    from pdp import dev_identity
    from pdp.stack import stack

    async with stack(state=state, listen=listen, policy=policy, tool_cache=_tools(), say=say) as server:
        own = {
            "PDP_ADDRESS": server.address,
            "PDP_STATE": str(state),
            "PDP_TOKEN": dev_identity.token(state, "dev"),
        }
        statuses.append(await _run(command, own))


async def _run(command: Sequence[str], variables: dict[str, str]) -> int:
    """Run the command with more environment. Signals are its affair: SIGTERM is passed on, Ctrl-C reaches it anyway."""
    try:
        process = await asyncio.create_subprocess_exec(*command, env={**Environment.inherited(), **variables})
    except OSError as error:
        raise SetupError(f"cannot run {command[0]}: {error.strerror}") from None
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, process.terminate)
    status = await process.wait()
    return status if status >= 0 else _SIGNALLED - status


def _tools() -> Path:
    """The tool cache with an OPA in it, fetched now where there is none."""
    from pdp import toolcache

    cache = Environment.read().tool_cache
    try:
        toolcache.opa(cache)
    except SetupError:
        toolcache.install_opa(cache, say)
    return cache


def _welcome(address: str, state: Path, policy: Sequence[Path]) -> str:
    from pdp import dev_identity

    people = "\n".join(f"  {person.sub:<10}  {person.what}" for person in dev_identity.PEOPLE.values())
    folders = ", ".join(map(str, policy)) or "the reference policy"
    at = "" if address == DEFAULT_ADDRESS else f"PDP_ADDRESS={address} "
    at += "" if state == Environment.read({}).state else f"PDP_STATE={state} "
    ask = f"{at}pdp authorize --as report-bot --subject agent:report-bot --on-behalf-of user:alice"
    return f"""\
Placet decides on {address} by {folders}; edits are loaded as you save. Ctrl-C ends it.

Demo people for --as:
{people}

Try in another terminal:
  {ask} --action read --resource table:customers
  {ask} --action export --resource table:customers --property 'tags=["pii"]'
  {at}pdp approvals list --queue --as bob
  {at}pdp approvals approve ID --as bob
  {at}pdp audit verify --as dana
"""
