"""The addresses of one of several workers, which are open while it can decide.

1. The kernel spreads new connections over the workers that listen. So a worker that cannot decide does not listen.
2. gRPC fails calls that arrive while it stops. So a worker that is replaced first lets nobody in any more; its clients
   are asked one after another to come with a new connection (`Share.connection_seconds`), and it stops when all went.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from pdp.background import background
from pdp.errors import SetupError
from pdp.http.app import Face
from pdp.server import doors
from pdp.server.entrance import Entrance
from pdp.server.newcomers import Newcomers
from pdp.server.peers import peers

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""Seconds between two looks at what the last probes found."""
UNABLE_SECONDS = 3.0
"""Seconds without a good probe after which a worker closes: on a busy machine, single probes are late."""
AGE_SPREAD, LATE_SECONDS = 1.1, 2.0
"""gRPC takes up to a tenth more than the age of a connection, so that not all come at one time, and a moment."""
GRACE_SECONDS = 10.0
"""Seconds that calls in flight have when a worker closes because it cannot decide."""


class Opening:
    """Opens and closes the addresses of a worker."""

    def __init__(
        self,
        entrance: Entrance,
        web: Face | None,
        newcomers: Newcomers,
        ports: Collection[int],
        is_able: Callable[[], bool],
        ends: Collection[Callable[[], None]] = (),
        unable_seconds: float = UNABLE_SECONDS,
    ) -> None:
        """`ports` are those of gRPC, `ends` end the calls that wait for people or questions.

        `is_able` says what the last probes found.
        """
        self._entrance, self._web, self._newcomers = entrance, web, newcomers
        self._ports, self._is_able, self._ends = ports, is_able, ends
        self._able_at, self._unable_seconds = float("-inf"), unable_seconds
        self._is_leaving = False
        self.opened = asyncio.Event()
        """Set while the addresses are open."""

    async def run(self) -> None:
        """Open and close as the probes say, until cancelled."""
        while not self._is_leaving:
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def leave(self, connection_seconds: float, stream_seconds: float) -> None:
        """Accept no connection from now on, and return when all connections of gRPC have ended.

        1. Within `connection_seconds` each client is asked to come with another connection. None begins a call on this
           one afterwards, and calls that wait for people or questions are ended.
        2. Streams of data that are under way have `stream_seconds` more. What is left then ends with the worker.
        """
        self._is_leaving = True
        self._let_nobody_in()
        doors.end(self._ports)
        if not await self._is_left(connection_seconds * AGE_SPREAD + LATE_SECONDS):
            for end in self._ends:
                end()
            await self._is_left(stream_seconds)

    async def _is_left(self, seconds: float) -> bool:
        """Whether all connections end within this time."""
        until = time.monotonic() + seconds
        while peers(self._ports) and time.monotonic() < until:  # noqa: ASYNC110  # nothing tells that one ended
            await asyncio.sleep(LOOK_SECONDS)
        return not peers(self._ports)

    async def _look(self) -> None:
        if self._is_able():
            self._able_at = time.monotonic()
            if not self.opened.is_set():
                await self._open()
        elif self.opened.is_set() and time.monotonic() > self._able_at + self._unable_seconds:
            await self._close()

    async def _open(self) -> None:
        try:
            self._entrance.listen()
            await self._entrance.start()
            if self._web is not None:
                await self._web.resume()
        except SetupError as error:
            log.warning("%s; tried again", error.sentence)
            self._let_nobody_in()
            await self._entrance.stop(0)
            return
        self._newcomers.opened()
        self.opened.set()

    async def _close(self) -> None:
        log.warning("this worker cannot decide; it takes no connections until it can")
        self._let_nobody_in()
        await self._entrance.stop(GRACE_SECONDS)

    def _let_nobody_in(self) -> None:
        self.opened.clear()
        self._newcomers.closing()
        if self._web is not None:
            self._web.pause()


@asynccontextmanager
async def kept_open(opening: Opening | None, failed: asyncio.Future[None]) -> AsyncIterator[None]:
    """Open shared addresses while this process can decide, until the block ends. None: they are not shared."""
    if opening is None:
        yield
        return
    async with background(opening.run(), failed):
        yield
