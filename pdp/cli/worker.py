"""One worker of `pdp serve --workers`, which starts it as a process."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pdp.cli import serving_log
from pdp.cli.serve import run_on_loop, stop_signal, stopped
from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.logs import LogFormat, LogLevel, Logs
from pdp.say import give

if TYPE_CHECKING:
    from pdp.server.opening import Opening
    from pdp.server.order import Order


async def work(order: "Order", folder: Path, number: int, status: Path, logs: Logs) -> None:
    """Serve beside the other workers: until SIGTERM; or until SIGHUP, after which its clients go to the others."""
    from pdp.server.preflight import refuse_unsafe
    from pdp.server.running import running
    from pdp.server.start import stoppable
    from pdp.server.stop import pause
    from pdp.server.watched import watched
    from pdp.server.worker import SERVES

    stop, replaced, own = stop_signal(), asyncio.Event(), Environment.read()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, replaced.set)
    refuse_unsafe(config := order.configuration(status))
    logs.watch(asyncio.get_running_loop())
    with stoppable(stop) as started:
        async with (
            watched(config, own, logs) as calls,
            running(config, own.tool_cache, logs.say, calls=calls, share=order.share(number, folder)) as server,
        ):
            started()
            opening = server.opening
            assert opening  # noqa: S101  # with a share there is one
            left = partial(opening.leave, order.connection_seconds, order.stream_seconds)
            tasks = [asyncio.create_task(work) for work in (_told(opening, SERVES), _left(replaced, left, stop))]
            await stopped(stop, server)
            for task in tasks:
                task.cancel()
            if not replaced.is_set():
                await pause(server.leave, config.operations, stop)


async def _told(opening: "Opening", word: str) -> None:
    """Say once that the addresses are open."""
    await opening.opened.wait()
    give(word)


async def _left(replaced: asyncio.Event, left: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Set `stop` when another worker has this one's place and its clients have `left`."""
    await replaced.wait()
    await left()
    stop.set()


def main(folder: str, number: str, status: str) -> None:
    """Be the worker with this number until a signal ends it."""
    from pdp.server.order import Order

    Environment.quieten_grpc()
    try:
        order, own = Order.read(Path(folder)), int(number)
        with serving_log.whole(LogFormat(order.log_format), LogLevel(order.log_level), worker=own) as logs:
            run_on_loop(work(order, Path(folder), own, Path(status), logs))
    except SetupError as error:
        sys.exit(error.sentence)
    except typer.Exit as end:
        sys.exit(end.exit_code)
