"""Waits for what a server needs, so that MongoDB, OPA, the issuers and the server may be started in any order.

1. What comes by itself is waited for: a MongoDB that starts, becomes a replica set or elects its primary, an OPA that
   starts or loads its bundle, and the keys of issuers.
2. What somebody has to mend ends the start at once: a wrong password, TLS that fails, a right that is missing, a
   standalone MongoDB. To try a wrong password again and again would lock its account.
3. Where other callers can prove who they are, the server starts in the end without the keys of an issuer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pdp.authn.jwks import KeySource
from pdp.config import Config
from pdp.errors import EngineUnavailable, PdpError, PolicyInvalid, StoreUnavailable
from pdp.opa.engine import first_look
from pdp.opa.queries import Opa
from pdp.store.database import Database

PAUSE_SECONDS = 1.0
"""Seconds between two looks."""
LOOK_SECONDS = 10.0
"""Seconds that a look may take; OPA and MongoDB have limits of their own below it."""

Look = Callable[[], Awaitable[str]]
"""Returns what is missing, as a sentence, or ""."""


class NotReady(PdpError):
    """What the server needs was not there in time; it may be when a supervisor starts the server again."""

    code = "UNAVAILABLE"
    reason = "NOT_READY"


class Stopped(Exception):
    """The server was told to stop before everything was there."""


@contextmanager
def stoppable(stop: asyncio.Event) -> Iterator[Callable[[], object]]:
    """End the block at `stop`, as long as the function that it gives was not called: then everything has started.

    So a signal ends a start that hangs; it need not be killed. What has started is ended in its order.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a block that waits is in one

    async def ending() -> None:
        await stop.wait()
        task.cancel()

    watching = asyncio.create_task(ending())
    try:
        yield watching.cancel
    except asyncio.CancelledError:
        if not stop.is_set() or task.uncancel():
            raise
    finally:
        watching.cancel()


async def awaited(config: Config, seconds: float, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Return when everything is there. `say` hears what is missing, whenever that changes.

    Raises `NotReady` after so many seconds, `Stopped` at `stop`, and at once `SetupError` for what somebody has to
    mend. With 0 seconds it looks at nothing, so that the start itself finds what is missing.
    """
    end, told, missing = _now() + seconds, "", dict[str, str]()
    keys = {f"the keys of issuer {issuer.type}": KeySource(issuer) for issuer in config.issuers}
    looks = _services(config) | {name: source.look for name, source in keys.items()}
    while _now() < end and not stop.is_set():
        missing = await _missing(looks, stop)
        if stop.is_set():
            break
        if not missing:
            return
        if (sentence := "; ".join(f"{name}: {why}" for name, why in missing.items())) != told:
            say(f"waiting for {sentence}")
            told = sentence
        await _pause(stop)
    if stop.is_set():
        raise Stopped
    if seconds and (missing.keys() - keys.keys() or not _others(config, keys)):
        raise NotReady(f"not ready after {seconds:g} s: {told}")


def _services(config: Config) -> dict[str, Look]:
    """MongoDB, and OPA where the server does not start it."""

    async def mongodb() -> str:
        try:
            await (await Database.open(config.mongodb_uri, config.database)).close()
        except StoreUnavailable as error:
            return error.sentence
        return ""

    async def opa() -> str:
        try:
            async with Opa(config.opa_url) as opened:
                await first_look(opened, config.opa_url)
        except (EngineUnavailable, PolicyInvalid) as error:
            return error.sentence
        return ""

    return {"MongoDB": mongodb, **({"OPA": opa} if config.opa_url else {})}


def _others(config: Config, keys: dict[str, KeySource]) -> bool:
    """Whether callers can prove who they are, though some keys are missing."""
    return bool(config.certificates) or any(source.keys for source in keys.values())


async def _missing(looks: dict[str, Look], stop: asyncio.Event) -> dict[str, str]:
    """What is missing, of all that is looked at together. Raises `SetupError`. At `stop` it leaves off."""
    stopped = asyncio.ensure_future(stop.wait())
    looking = asyncio.gather(*(_look(name, look) for name, look in looks.items()))
    looking.add_done_callback(lambda done: done.cancelled() or done.exception())  # at `stop` nothing waits for it
    try:
        ends: set[asyncio.Future[Any]] = {stopped, looking}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return {name: why for name, why in await looking if why} if looking.done() else {}
    finally:
        stopped.cancel()
        looking.cancel()


async def _look(name: str, look: Look) -> tuple[str, str]:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return name, await look()
    except TimeoutError:
        return name, f"it did not answer within {LOOK_SECONDS:g} s"


async def _pause(stop: asyncio.Event) -> None:
    await asyncio.wait({waiting := asyncio.ensure_future(stop.wait())}, timeout=PAUSE_SECONDS)
    waiting.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
