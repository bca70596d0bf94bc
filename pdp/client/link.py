"""The channel of one client: opened at its first use, for that event loop and that process.

A ping goes out each 30 s, also while no call waits, so that a connection that is dead (a laptop slept, a NAT forgot it)
is noticed within a minute.
"""

import asyncio
import os
from collections.abc import Sequence

import grpc

from pdp.client.channel import credentials, opened

KEEPALIVE_SECONDS = 30.0
"""Seconds between two pings. The server takes one each 10 s."""
ANSWER_SECONDS = 20.0
"""Seconds that the answer to a ping may take; with the pause before it, that is less than a minute."""
CONNECT_SECONDS = 5
"""Seconds that a connection may take to come about, TLS included: as many as the server gives it."""
UNREAD_BYTES = 256 * 1024
"""Bytes of an answer that arrive before the program reads on. Otherwise gRPC takes what the network gives."""
_OPTIONS: list[tuple[str, int | str]] = [
    (
        "grpc.enable_retries",
        1,
    ),  # of what no server saw (GOAWAY), for no policy says more; ours are under one request id
    ("grpc.enable_http_proxy", 0),  # a proxy would see tokens, or refuse this machine's own addresses
    ("grpc.initial_reconnect_backoff_ms", 100),  # else an attempt fails without trying for a second
    ("grpc.min_reconnect_backoff_ms", CONNECT_SECONDS * 1000),  # despite its name, what one attempt may take
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.lookahead_bytes", UNREAD_BYTES),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.max_pings_without_data", 0),  # else pings end after two, and a quiet stream is never tried again
]
_USED: list[int] = []
"""The process that opened the first channel. gRPC's threads and sockets do not survive a fork of it."""


class Link:
    """A way to one server. `ValueError` where it could not be used."""

    def __init__(self, address: str, files: Sequence[str], keepalive: float) -> None:
        if not keepalive > 0:
            raise ValueError("keepalive must be more than 0 seconds")
        self._address, self._secure = address, credentials(address, *files)
        self._options = [*_OPTIONS, *_pings(keepalive)]
        self._channel: grpc.aio.Channel | None = None
        self._place: tuple[int, asyncio.AbstractEventLoop] | None = None

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel. `RuntimeError` says what to do where it cannot be used."""
        place = os.getpid(), asyncio.get_running_loop()
        if self._channel is None:
            _refuse_after_fork(place[0])
            self._channel, self._place = opened(self._address, self._secure, self._options), place
        elif self._place is not None and place != self._place:
            _refuse_after_fork(place[0])
            raise RuntimeError("a Client belongs to the event loop that used it first; make one in each loop")
        return self._channel

    @property
    def is_connected(self) -> bool:
        """Whether the connection is there; a next call makes a new one where it is not."""
        return self.channel.get_state() is grpc.ChannelConnectivity.READY

    async def close(self) -> None:
        """Close what this loop opened; what is of another loop or process is left to it."""
        if self._channel is not None and self._place == (os.getpid(), asyncio.get_running_loop()):
            await self._channel.close()


def _pings(seconds: float) -> list[tuple[str, int | str]]:
    answer = min(ANSWER_SECONDS, seconds * ANSWER_SECONDS / KEEPALIVE_SECONDS)
    within = int(answer * 1000)
    # The third is what counts: without it gRPC 1.85 waits 60 s.
    return [
        ("grpc.keepalive_time_ms", int(seconds * 1000)),
        ("grpc.keepalive_timeout_ms", within),
        ("grpc.http2.ping_timeout_ms", within),
    ]


def _refuse_after_fork(process: int) -> None:
    if not _USED:
        _USED.append(process)
    if _USED[0] != process:
        raise RuntimeError(
            "this process was forked from one that had used a Client, and gRPC does not survive that; start it with "
            "multiprocessing's `spawn`, or use the first Client after the fork"
        )
