"""`pdp notify`: sends a test message to a webhook of a server's configuration, without the server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.errors import SetupError
from pdp.say import tell

app = typer.Typer(name="notify", help="Test the messages to webhooks.", no_args_is_help=True)


@app.command("test")
def try_out(
    webhook: Annotated[str, typer.Argument(metavar="NAME", help="The webhook's name in the configuration.")],
    config: Annotated[
        Path, typer.Option(envvar="PDP_CONFIG", show_envvar=True, metavar="FILE", help="The configuration in TOML.")
    ],
) -> None:
    """Send one signed message, dev.placet.test. Exit status: 0 if the webhook took it, else 69."""
    from datetime import UTC, datetime

    from pdp import identifier
    from pdp.config import load
    from pdp.notify.endpoint import Endpoint
    from pdp.notify.message import trial

    try:
        loaded = load(config)
        endpoints = [Endpoint.of(**dict(hook)) for hook in loaded.webhooks if hook.name == webhook]
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))
    if not endpoints:
        exit_code.fail(f"{config} has no webhook {webhook}", exit_code.USAGE)
    message_id = identifier.new("msg")
    body = trial(message_id, loaded.realm, datetime.now(UTC))
    if problem := asyncio.run(endpoints[0].send(message_id, body)):
        exit_code.fail(f"{webhook} did not take {message_id}: {problem}", exit_code.UNAVAILABLE)
    tell(f"{webhook} took {message_id}")
