"""Tells a supervisor that the server is ready, stops, and is alive, over the socket in NOTIFY_SOCKET (sd_notify(3))."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp.environment import Environment

log = logging.getLogger(__name__)

PINGS_AN_INTERVAL = 3
"""Pings in the time after which systemd ends a service that sends none, so that one may come late."""


@dataclass(frozen=True, slots=True)
class NotifySocket:
    """The supervisor's socket. Without an `address` nothing is sent."""

    address: str
    """A path, or `@` and a name of Linux's abstract sockets."""
    watchdog_seconds: float = 0.0
    """The longest time without a ping, in seconds; 0: pings are not needed."""

    def ready(self, status: str) -> None:
        """The server answers. `systemctl status` shows `status`, one line."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """The server begins to stop."""
        self._send("STOPPING=1\nSTATUS=draining")

    async def ping(self) -> None:
        """Send a sign of life again and again. It runs on the event loop, so a loop that stands still sends none."""
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / PINGS_AN_INTERVAL)

    def _send(self, message: str) -> None:
        if not self.address:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), name)
        except OSError as error:
            log.warning("the supervisor did not get %s: %s", message.partition("\n")[0], error.strerror)


@asynccontextmanager
async def supervised(environment: Environment) -> AsyncIterator[NotifySocket]:
    """Send signs of life until the block ends, if the supervisor waits for them: also while the server drains."""
    supervisor = NotifySocket(environment.notify_socket, environment.watchdog_seconds)
    pings = asyncio.ensure_future(supervisor.ping()) if supervisor.watchdog_seconds else None
    try:
        yield supervisor
    finally:
        if pings:
            pings.cancel()
