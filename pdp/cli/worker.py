"""One worker of `pdp serve --workers`, which starts it as a process."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdp.cli import exit_code
from pdp.cli.serve import run_until_stopped, stop_signal
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.say import say

if TYPE_CHECKING:
    from pdp.server.opening import Opening
    from pdp.server.running import Running


async def work(folder: Path, number: int, status: Path) -> None:
    """Serve beside the other workers: until SIGTERM; or until SIGHUP, after which its clients go to the others."""
    from pdp.server.order import Order
    from pdp.server.preflight import refuse_unsafe
    from pdp.server.running import running
    from pdp.server.worker import SERVES
    from pdp.server.worker_status import telling_status

    stop, replaced = stop_signal(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, replaced.set)
    order = Order.read(folder)
    config = order.configuration(status)
    refuse_unsafe(config)
    share = order.share(number, folder)
    async with running(config, Environment.read().tool_cache, say, share=share) as server:
        opening = server.opening
        assert opening is not None  # noqa: S101  # with a share there is one
        async with telling_status(status, opening.opened.is_set):
            told = asyncio.create_task(_told(opening, SERVES))
            await _first(
                server, stop.wait(), _left(replaced, opening, config.stream_seconds + order.connection_seconds)
            )
            told.cancel()


async def _told(opening: "Opening", word: str) -> None:
    """Say once that the addresses are open."""
    await opening.opened.wait()
    say(word)


async def _left(replaced: asyncio.Event, opening: "Opening", seconds: float) -> None:
    """Return when another worker has this one's place and its clients have gone."""
    await replaced.wait()
    await opening.leave(seconds)


async def _first(server: "Running", *ends: Any) -> None:
    """Return at the first of these ends. If a part of the server ends before, raise its error."""
    waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(end) for end in ends]
    await asyncio.wait([*waiting, server.failed], return_when=asyncio.FIRST_COMPLETED)
    for end in waiting:
        end.cancel()
    if server.failed.done():
        await server.failed


def main(folder: str, number: str, status: str) -> None:
    """Be the worker with this number until a signal ends it."""
    Environment.quieten_grpc()
    try:
        run_until_stopped(work(Path(folder), int(number), Path(status)))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.of_error(error))
