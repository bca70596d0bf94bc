"""`pdp notify`: tries a webhook or a channel of a server's configuration, without the server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.errors import SetupError
from pdp.say import tell

_MENDS = {
    "no connection": "check that something listens there, and that this machine may connect to it",
    "no answer": "the receiver must answer before it works on a message",
    "its name leads": "give a public address, or localhost for a receiver on this machine",
    "its TLS certificate": "have this machine trust who signed it, or name the host that it is for",
    "its key": "check the file of its secret",
}
"""What to do, by how the problem of an endpoint begins."""

app = typer.Typer(name="notify", help="Test the messages to webhooks and people.", no_args_is_help=True)


@app.command("test")
def try_out(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The webhook's name in the configuration, or `mail`, `slack` or `teams`."),
    ],
    config: Annotated[
        Path, typer.Option(envvar="PDP_CONFIG", show_envvar=True, metavar="FILE", help="The configuration in TOML.")
    ],
) -> None:
    """Send a webhook one signed message, dev.placet.test. Of a channel for people, try whether it lets us in.

    Exit status: 0 if it took the message or lets us in, else 69.
    """
    from datetime import UTC, datetime

    from pdp import identifier
    from pdp.config import load
    from pdp.notify import incoming
    from pdp.notify.endpoint import Endpoint
    from pdp.notify.incoming import Format
    from pdp.notify.message import trial
    from pdp.server.channel_check import configured, names, problem_of

    try:
        loaded = load(config)
        endpoints = [Endpoint.of(**dict(hook)) for hook in loaded.webhooks if hook.name == name]
        channel = None if endpoints else configured(loaded, name)
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))
    if channel is not None:
        if problem := asyncio.run(problem_of(channel)):
            exit_code.fail(f"{name} takes no messages: {problem}", exit_code.UNAVAILABLE)
        tell(f"{name} lets us in")
        return
    if not endpoints:
        there = ", ".join(names(loaded)) or "nothing that sends messages"
        exit_code.fail(f"{config} has no webhook and no channel called {name}; it has {there}", exit_code.USAGE)
    message_id = identifier.new("msg")
    made = endpoints[0].format
    is_event = made is Format.CLOUDEVENTS
    body = trial(message_id, loaded.realm, datetime.now(UTC)) if is_event else incoming.trial(made)
    if problem := asyncio.run(endpoints[0].send(message_id, body)):
        where = "its url" if is_event else "the address in the file of its secret"
        sentence = f"{name} did not take {message_id}: {problem}; {endpoints[0].place} ({where}): {_mend(problem)}"
        exit_code.fail(sentence, exit_code.UNAVAILABLE)
    tell(f"{name} took {message_id}")


def _mend(problem: str) -> str:
    """What to do about a webhook that took no message."""
    known = (what for said, what in _MENDS.items() if problem.startswith(said))
    return next(known, "look into the log of the receiver")
