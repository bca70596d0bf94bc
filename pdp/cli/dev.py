"""`pdp dev` and `pdp demo`: run the whole stack on this machine."""

import asyncio
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code
from pdp.cli.serve import run_until_stopped, stop_signal, stopped
from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.errors import SetupError
from pdp.process.signalling import send
from pdp.say import say

if TYPE_CHECKING:
    from pdp.server.running import Running

HTTP_ADDRESS = "127.0.0.1:4780"
"""Where `pdp dev` speaks HTTP, unless another program listens there."""
OPERATIONS_ADDRESS = "127.0.0.1:4790"
"""Where `pdp dev` shows health and metrics, unless another program listens there."""
_SIGNALLED = 128
"""The exit status of a command that signal n ended is 128 + n, as in a shell."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(context_settings={"allow_interspersed_args": False})(dev)
    app.command()(demo)


def dev(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND [ARGS]...]", help="Run the stack only as long as this command runs."),
    ] = None,
    policy: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="A folder of Rego and data, in place of the reference policy; may be repeated."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of MongoDB and the keys; by default .placet, or a temporary one with COMMAND.",
        ),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=f"host:port on loopback; by default {DEFAULT_ADDRESS}, or a free port with COMMAND.",
        ),
    ] = "",
    slack: Annotated[
        bool,
        typer.Option("--slack", help="Run a double of Slack beside it, for the demo people, in a browser."),
    ] = False,
) -> None:
    """Run OPA, MongoDB and a server with demo people.

    It runs until Ctrl-C, or as long as COMMAND runs. COMMAND gets PDP_ADDRESS, PDP_HTTP_URL, PDP_STATE and PDP_TOKEN
    (of the demo person `dev`) in its environment. The exit status is that of COMMAND, or 128 + n after signal n.
    """
    try:
        if command:
            raise typer.Exit(_for_command(command, policy or [], state, listen or "127.0.0.1:0", slack=slack))
        folder = (state or Environment.read().state).resolve()
        run_until_stopped(_in_foreground(policy or [], folder, listen or DEFAULT_ADDRESS, _tools(), slack=slack))
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))


def demo() -> None:
    """Show one export from the request to the proof.

    It is asked for, refused, approved by two people, used once and proved from the log.
    """
    try:
        raise typer.Exit(_for_command([sys.executable, "-m", "pdp.cli.story"], [], None, "127.0.0.1:0"))
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))


async def _in_foreground(policy: Sequence[Path], state: Path, listen: str, tools: Path, *, slack: bool) -> None:
    from pdp.dev import presence
    from pdp.dev.chat import PORT
    from pdp.dev.stack import stack

    stop = stop_signal()
    if presence.running(state) is None:  # else the stack says so
        presence.refuse_taken(listen)
    async with stack(
        state=state,
        listen=listen,
        policy=policy,
        tool_cache=tools,
        say=say,
        http=HTTP_ADDRESS,
        operations=OPERATIONS_ADDRESS,
        slack_port=PORT if slack else None,
    ) as server:
        with presence.announced(state):
            say(_welcome(server, state, policy))
            await stopped(stop, server)
            say("draining")


def _for_command(
    command: Sequence[str], policy: Sequence[Path], state: Path | None, listen: str, *, slack: bool = False
) -> int:
    """Run the stack as long as a command runs and return the command's exit status.

    The stack uses the folder `state`, or a temporary one that is removed afterwards.
    """
    tools = _tools()
    with tempfile.TemporaryDirectory(prefix="placet-dev-") as temporary:
        around = _Around(command, policy, (state or Path(temporary)).resolve(), listen, tools, slack=slack)
        run_until_stopped(around.run())
        return around.status


class _Around:
    """A stack that runs as long as a command. A signal ends it while it starts; a later signal goes to the command."""

    def __init__(
        self, command: Sequence[str], policy: Sequence[Path], state: Path, listen: str, tools: Path, *, slack: bool
    ) -> None:
        self._command, self._policy, self._state, self._listen = command, policy, state, listen
        self._tools, self._slack_port = tools, 0 if slack else None
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[Any] | None = None
        self.status = 0

    async def run(self) -> None:
        """Start the stack, run the command, stop the stack; `status` is the command's exit status."""
        self._starting = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)
        with suppress(asyncio.CancelledError):
            await self._run()

    async def _run(self) -> None:
        from pdp.dev import identity
        from pdp.dev.stack import stack

        async with stack(
            state=self._state,
            listen=self._listen,
            policy=self._policy,
            tool_cache=self._tools,
            say=say,
            slack_port=self._slack_port,
        ) as server:
            token = identity.token(self._state, "dev")
            own = {"PDP_ADDRESS": server.address, "PDP_STATE": str(self._state), "PDP_TOKEN": token}
            own |= {"PDP_HTTP_URL": server.web.url} if server.web else {}
            own |= dict.fromkeys(("PDP_CA", "PDP_CERTIFICATE", "PDP_KEY", "PDP_TOKEN_FILE"), "")  # of another server
            if self._slack_port is not None and server.web:
                say(f"inbox  {server.web.url}/inbox  (log in with one click)")
            if self.status == 0:  # not signalled while it started
                self.status = await self._until_end({**Environment.inherited(), **own})

    async def _until_end(self, variables: dict[str, str]) -> int:
        try:
            self._process = await asyncio.create_subprocess_exec(*self._command, env=variables)
        except OSError as error:
            raise SetupError(f"cannot run {self._command[0]}: {error.strerror}") from None
        status = await self._process.wait()
        return status if status >= 0 else _SIGNALLED - status

    def _signalled(self, number: signal.Signals) -> None:
        """Pass a signal on to the command. Ctrl-C reaches the command directly, so it is not passed on."""
        if self._process is None:
            self.status = _SIGNALLED + number
            if self._starting is not None:
                self._starting.cancel()
        elif number != signal.SIGINT:
            send(self._process, number)


def _tools() -> Path:
    """The tool cache. OPA is fetched into it if it is not there."""
    from pdp.process import toolcache

    cache = Environment.read().tool_cache
    try:
        toolcache.opa(cache)
    except SetupError:
        toolcache.install_opa(cache, say)
    return cache


def _this_program() -> list[str]:
    """The command that starts this program, for a shell that does not find it on its PATH."""
    started = Path(sys.argv[0])
    return [sys.executable, "-m", "pdp"] if started.name == "__main__.py" else [str(started)]


def _inbox(server: "Running") -> str:
    """Where the pages are; where that is not the usual port, it says so."""
    if server.web is None:
        return ""
    wanted = HTTP_ADDRESS.rpartition(":")[2]
    taken = f"       another program listens on port {wanted}, so HTTP and the inbox have another one this time\n"
    moved = taken if server.web.ports[0] != int(wanted) else ""
    return f"inbox  {server.web.url}/inbox  (log in with one click)\n{moved}"


def _welcome(server: "Running", state: Path, policy: Sequence[Path]) -> str:
    from pdp.dev import identity

    address = server.address
    people = "\n".join(f"  {person.sub:<10}  {person.what}" for person in identity.PEOPLE.values())
    folders = ", ".join(map(str, policy)) or "the reference policy"
    pdp = "pdp" if shutil.which("pdp") else shlex.join(_this_program())
    ask = f"{pdp} authorize --as report-bot --subject agent:report-bot --on-behalf-of user:alice"
    first = f"""\
  {ask} --action read --resource table:customers
  {ask} --action export --resource table:customers --property 'tags=["pii"]'"""
    if policy:
        first = f"  {pdp} authorize --as dev --subject TYPE:ID --action NAME --resource TYPE:ID"
    return f"""\
Placet decides on {address} by {folders}; edits are loaded as you save. Ctrl-C ends it.
AuthZEN over HTTP is on {server.web.url if server.web else "no address"}.
Probes and scrapes are on http://{server.operations}: /livez, /readyz and /metrics.
{_inbox(server)}
--as finds this stack from any folder. Programs, and commands while another stack runs, need:
  export PDP_ADDRESS={address} PDP_STATE={shlex.quote(str(state))}

Demo people for --as:
{people}

Try in another terminal:
{first}
  {pdp} approvals list --queue --as bob
  {pdp} approvals approve ID --as bob
  {pdp} audit verify --as dana
"""
