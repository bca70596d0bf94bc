"""What is odd about MongoDB's driver: its remarks become sentences of ours for the log, and its waits are mended."""

import asyncio
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pymongo.lock
import pymongo.pool_shared
from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

log = logging.getLogger(__name__)
T = TypeVar("T")
_OURS = {"w": "majority", "journal": "true", "j": "true", "readpreference": "primary", "readconcernlevel": "majority"}
"""The options that the server sets itself, in small letters; those of the URI do not count."""
_UNSURE = "the option {} does not count: servers write with majority and journal, and read so; leave it out"
_connect: Any = getattr(pymongo.pool_shared, "_async_create_connection", None)
"""What connects for the driver; it has no public name, and None where a version of the driver has another."""


def mend_cancellation() -> None:
    """Let every call of the driver be cancelled at any moment, as often as anybody likes.

    Before Python 3.12 `asyncio.wait_for` runs what it waits for in a task of its own. While MongoDB is away, each call
    waits so for half a second at a time, and takes the driver's lock again afterwards. A call that was cancelled just
    then went on without the lock; its task took the lock later and kept it, and no call ever reached MongoDB again.

    A call that was cancelled while it connected left its socket open until that was collected.
    """
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = _wait_for  # type: ignore[assignment, attr-defined]
    if _connect is not None:
        pymongo.pool_shared._async_create_connection = _connected  # type: ignore[assignment]  # noqa: SLF001


async def _wait_for(awaited: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  # the form of asyncio's own
    """What `asyncio.wait_for` is since Python 3.12."""
    async with asyncio.timeout(timeout):
        return await awaited


async def _connected(*target: Any) -> Any:
    """The driver's connected socket, which is closed where nobody waits for it any more."""
    connecting = asyncio.ensure_future(_connect(*target))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_close)
        raise


def _close(connecting: "asyncio.Future[Any]") -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


@contextmanager
def in_our_words(uri: str) -> Iterator[None]:
    """Log what the driver warns of inside the block, in which it reads `uri`, each option as one sentence."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        yield
    for remark in remarks(uri):
        log.warning("mongodb_uri: %s", remark)


def remarks(uri: str) -> list[str]:
    """A sentence for each option of `uri` that does not count as it is written; values are not quoted."""
    options = [option for option in uri.partition("?")[2].split("&") if option]
    often = Counter(option.partition("=")[0].lower() for option in options)
    twice = [f"the option {name} stands there twice; keep one" for name, count in often.items() if count > 1]
    return twice + [told for option in options for told in _told(option.partition("=")[0], option)]


def _told(name: str, option: str) -> list[str]:
    """What is odd about one option."""
    if odd := [_remark(name, text) for text in _warnings(option)]:
        return odd
    value = option.partition("=")[2].lower()
    return [_UNSURE.format(name)] if _OURS.get(name.lower(), value) != value else []


def _warnings(option: str) -> list[str]:
    """What the driver says of one option alone; it does not always name the option."""
    with warnings.catch_warnings(record=True) as caught, suppress(PyMongoError, ValueError, TypeError):
        warnings.simplefilter("always")
        split_options(option, warn=True)
    return [str(warning.message) for warning in caught]


def _remark(name: str, text: str) -> str:
    if text.startswith("Unknown option"):
        return f"the driver does not know the option {name}; mend its name, or leave it out"
    if "ompressor" in text or "compression" in text:
        return f"the driver goes on without what {name} names: it does not know it, or lacks its package"
    return f"the value of {name} does not fit, so its default counts; mend it"
