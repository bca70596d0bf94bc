"""How the answers of a stream leave: one at a time, each to its end."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from pdp.server.arrivals import Context

LAST_SECONDS = 60.0
"""Seconds for which the last answer of a stream whose time is over waits for its reader: as long as a stream may be
quiet."""


async def write(context: Context, answer: Any) -> None:
    """Send an answer. Where the call ends meanwhile, what was begun is sent first.

    gRPC sends no status while an answer is on its way, and a client that reads slowly would wait for both for ever.
    """
    writing = asyncio.ensure_future(context.write(answer))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        with suppress(TimeoutError, grpc.aio.BaseError):
            async with asyncio.timeout(LAST_SECONDS):
                await writing
        raise
