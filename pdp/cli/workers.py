"""`pdp serve --workers`: several processes at one address."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.say import say


async def serve_with_workers(
    path: Path, changes: dict[str, str], count: int, connection_seconds: float | None = None
) -> None:
    """Run workers until SIGTERM or SIGINT. SIGHUP replaces them. Raises `SetupError` if one had to be killed."""
    from pdp.cli.serve import stop_signal, stopped
    from pdp.config import load
    from pdp.server.parent import CONNECTION_SECONDS, Given, family
    from pdp.server.preflight import refuse_unsafe

    stop, again = stop_signal(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
    config = load(path, changes)
    refuse_unsafe(config)
    given = Given(path, changes, count)
    seconds = CONNECTION_SECONDS if connection_seconds is None else connection_seconds
    async with family(config, given, Environment.read().tool_cache, say, seconds) as running:
        also = f" and {running.web}" if running.web else ""
        say(f"serving on {running.address}{also}, {count} workers")
        replacing = asyncio.create_task(_replace(again, running.workers.replace))
        try:
            await stopped(stop, running)
        finally:
            replacing.cancel()
        say("draining")
        faults = await running.workers.stop()
    if faults:
        raise SetupError("; ".join(faults))


async def _replace(again: asyncio.Event, replace: Callable[[], Awaitable[None]]) -> None:
    """Replace the workers at each signal, until cancelled."""
    while True:
        await again.wait()
        again.clear()
        await replace()
