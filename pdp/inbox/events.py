"""What changes in a person's queue, as server-sent events: ids and versions, and never a word of a request.

1. The id of an event is the resume token behind it. A page goes on by `Last-Event-ID`, or begins by `after`.
2. `approval` says which one changed, `again` that changes may have been missed: then the page reads its queue again.
3. A comment comes where nothing else came for a while. A stream ends with its session, with the server, and in time.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import orjson

from pdp import deadline
from pdp.caller import Caller
from pdp.errors import PdpError, ResumeTokenTooOld
from pdp.http.route import Page, PageCall, Stream
from pdp.room import LATER_SECONDS, Room
from pdp.workflow.watching import STREAM_SECONDS, Update, Watching

EVENTS = "/inbox/events"
WATCH = "pdp.v1.ReviewService/WatchQueue"
"""Whose row of the role table says who hears of changes."""
MOST = 5
"""Streams of one session in one process. A browser has six connections to a server, if it speaks HTTP/1.1."""
BEAT_SECONDS = 15.0
"""Seconds without an event after which a comment shows that the stream is alive."""
_MEDIA = "text/event-stream"
BEAT = b":\n\n"
"""A comment, which says nothing."""
_TAKEN, _AGAIN = b"", b"event: again\ndata: {}\n\n"


class Events:
    """The streams of this process."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._room = Room(
            MOST, f"{MOST} pages of this login follow the queue already, which is the most; close one", LATER_SECONDS
        )

    def routes(self) -> list[Page]:
        """What is offered."""
        return [Page("GET", EVENTS, WATCH, self.follow, is_use=False)]

    async def follow(self, call: PageCall) -> Stream:
        """Begin a stream. Raises `Overloaded` where the session has too many."""
        token = call.headers.get("last-event-id") or call.query.get("after", "")
        pieces = self._pieces(call, token)
        await anext(pieces)  # takes its place, so that who has none gets an answer
        return Stream(pieces, media=_MEDIA)

    async def _pieces(self, call: PageCall, token: str) -> AsyncGenerator[bytes, None]:
        with self._room.taken(call.present.session.id):
            yield _TAKEN
            yield BEAT
            deadline.begin(None, STREAM_SECONDS)
            ends = asyncio.get_running_loop().time() + STREAM_SECONDS
            with suppress(PdpError):  # the page comes again, and is told then
                async with aclosing(beating(self._told(call.caller, token), BEAT_SECONDS)) as told:
                    async for piece in told:
                        if asyncio.get_running_loop().time() > ends or not await call.lasts():
                            return
                        yield piece

    async def _told(self, caller: Caller, token: str) -> AsyncGenerator[bytes, None]:
        """A piece for each change. Where changes are missing, it says so and begins anew."""
        while True:
            try:
                async with aclosing(self._watching.changes(caller, token, changes_only=True)) as updates:
                    async for update in updates:
                        yield _piece(update)
            except ResumeTokenTooOld:
                token = ""
                yield _AGAIN


async def beating(told: AsyncGenerator[bytes, None], seconds: float) -> AsyncGenerator[bytes, None]:
    """Pieces without an end, and a beat wherever none came for so many seconds. What makes them ends with it."""
    coming = asyncio.ensure_future(anext(told))
    try:
        while True:
            await asyncio.wait({coming}, timeout=seconds)
            if not coming.done():
                yield BEAT
                continue
            yield coming.result()
            coming = asyncio.ensure_future(anext(told))
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        await told.aclose()


def _piece(update: Update) -> bytes:
    """An update as an event; without an approval it is only a place from which a page goes on."""
    place = f"id: {update.resume_token}\n".encode()
    if not update.approval_id:
        return place + b"\n"
    version = update.held.approval.version if update.held else None
    data = orjson.dumps({"id": update.approval_id, "version": version})
    return place + b"event: approval\ndata: " + data + b"\n\n"
