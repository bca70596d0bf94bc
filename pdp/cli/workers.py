"""`pdp serve --workers`: several processes at one address."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pdp.background import each_time
from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.logs import LogFormat, LogLevel, Logs

if TYPE_CHECKING:
    from pdp.server.stop import StopSignal


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    config: Path
    changes: dict[str, str]
    """In place of what the configuration says."""
    count: int
    log_level: LogLevel = LogLevel.INFO
    wait: float = 60.0
    """Seconds to wait for what is not there yet."""
    connection_seconds: float = 60.0
    """Seconds after which a client is asked to come with a new connection. It spreads the load over workers that were
    started later, and bounds how long one that is replaced has clients."""
    stream_seconds: float = 120.0
    """Seconds that streams have after that when their worker is replaced, so that what is replaced soon ends."""


async def serve_with_workers(
    given: Given, logs: Logs, stop: Callable[[], "StopSignal"], stopped: Callable[..., Awaitable[None]]
) -> None:
    """Run workers until `stopped` by the event that `stop` makes. SIGHUP replaces them.

    Raises `SetupError` if one did not end well.
    """
    from pdp.config import load
    from pdp.server.notify_socket import supervised
    from pdp.server.order import Order
    from pdp.server.parent import family
    from pdp.server.preflight import refuse_unsafe
    from pdp.server.start import Stopped, awaited, stoppable

    ends, again, own = stop(), asyncio.Event(), Environment.read()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
    refuse_unsafe(config := load(given.config, given.changes))
    logs.watch(asyncio.get_running_loop())
    form = LogFormat.JSON if logs.is_json else LogFormat.CONSOLE
    seconds = given.connection_seconds, given.stream_seconds
    order = Order(str(given.config), given.changes, {}, *seconds, form, given.log_level)
    ready = partial(awaited, config, given.wait, logs.say, ends)
    faults: list[str] = []
    with suppress(Stopped), stoppable(ends) as started:
        async with (
            supervised(own) as supervisor,
            family(config, given.count, order, own.tool_cache, logs, ready) as running,
        ):
            also = f" and {running.web}" if running.web else ""
            state = f"serving on {running.address}{also}, {given.count} workers"
            logs.say(state)
            supervisor.ready(state)
            started()
            async with each_time(again, running.workers.replace):
                await stopped(ends, running)
            supervisor.stopping()
            logs.say("draining")
            async with each_time(ends.again, running.workers.hurry):
                faults = await running.workers.stop()
    if faults:
        raise SetupError("; ".join(faults))
