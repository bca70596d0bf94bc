"""How long a call may stay open: a while, and as long as the credential that opened it is accepted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pdp.caller import Caller
from pdp.errors import PdpError, StreamTimeout, Unauthenticated

AGAIN_SECONDS = 5.0
"""Seconds between two looks at the credential of an open call. A look costs about 20 µs while nothing has changed."""

Again = Callable[[], Awaitable[Caller]]
"""Authenticates the call once more. Raises `PdpError` if the credential is not accepted any more."""


@asynccontextmanager
async def at_most(seconds: float, caller: Caller, again: Again) -> AsyncIterator[None]:
    """End the block after `seconds`, when the caller's credential ends, or when it is not accepted any more.

    It is not accepted any more when its authority, or the key of its issuer, was removed. Then it raises what `again`
    raised.
    """
    valid = caller.expires_at - time.time()
    limit = asyncio.timeout(min(seconds, valid))
    refused: list[Exception] = []
    try:
        async with limit:
            looking = asyncio.create_task(_look(limit, refused, again))
            try:
                yield
            finally:
                looking.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        if refused:
            raise refused[0] from None
        raise over(seconds, valid) from None


def over(seconds: float, valid: float) -> PdpError:
    """The error of a call that may take `seconds`, by a credential that was valid for `valid` seconds."""
    if valid < seconds:
        return Unauthenticated("the token expired during the call; get a new one and continue")
    return StreamTimeout(f"this call ends after {seconds / 60:g} min; continue in another call")


async def _look(limit: asyncio.Timeout, refused: list[Exception], again: Again) -> None:
    while not refused:
        await asyncio.sleep(AGAIN_SECONDS)
        try:
            await again()
        except Exception as error:  # noqa: BLE001  # the credential is not accepted, for this reason or that
            refused.append(error)
    limit.reschedule(asyncio.get_running_loop().time())
