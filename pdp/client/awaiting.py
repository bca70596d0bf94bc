"""Work that goes on although those who waited for it have gone."""

import asyncio
from typing import Any, TypeVar

_Future = TypeVar("_Future", bound="asyncio.Future[Any]")


def heard(work: _Future) -> _Future:
    """The work itself; asyncio does not complain of its error where nobody waits for it any more."""
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    return work
