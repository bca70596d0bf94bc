"""Sends a message, or the link alone where the vendor finds the message too large."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pdp.channels.notice import Message, Note, Refused
from pdp.channels.notice_lines import fallback

T = TypeVar("T")


async def fitting(send: Callable[[Message], Awaitable[T]], message: Message) -> T:
    """What `send` gives for a message, or for a sentence of ours with its page if it is too large. Raises `Refused`."""
    try:
        return await send(message)
    except Refused as refused:
        if not refused.too_large:
            raise
    return await send(Note(fallback(message), message.page))
