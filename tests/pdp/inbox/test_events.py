"""What changes in a queue, as a page hears of it: ids and versions, each once, as long as its session."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pdp.http.app import GRACE_SECONDS
from pdp.inbox.events import BEAT, MOST, beating
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.review_pb2 import WatchQueueRequest
from tests.browser import Browser, browser
from tests.parts import Placet, exporting, placet

FAST = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


@dataclass
class Following:
    """A stream of events, as a script reads it."""

    answer: aiohttp.ClientResponse
    last: str = ""

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; comments and places are passed over, and what was reached is kept."""
        event, data = "", None
        while True:
            line = (await asyncio.wait_for(self.answer.content.readline(), 20)).decode()
            if not line:
                raise EOFError
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                event = value
            elif name == "data":
                data = json.loads(value)
            elif not name and event:
                return event, data

    async def begun(self) -> "Following":
        """When the stream has said from where it goes on."""
        while not self.last:
            line = (await asyncio.wait_for(self.answer.content.readline(), 20)).decode()
            assert line
            if line.startswith("id: "):
                self.last = line[4:].strip()
        return self


@asynccontextmanager
async def following(bob: Browser, query: str = "", **headers: str) -> AsyncIterator[Following]:
    own = {**FAST, **headers}
    async with bob.session.get(f"{bob.home}/inbox/events{query}", headers=own, allow_redirects=False) as answer:
        yield Following(answer)


@pytest.fixture
async def bob(server: Placet) -> AsyncIterator[Browser]:
    async with browser(server.http) as person:
        assert (await person.log_in("bob")).status == 200
        yield person


async def opened(server: Placet) -> Approval:
    return (await server.authorize(exporting())).approval


async def test_event_has_id_and_version_and_nothing_else(server: Placet, bob: Browser) -> None:
    async with following(bob) as stream:
        assert stream.answer.status == 200
        assert stream.answer.content_type == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        await stream.begun()
        held = await opened(server)
        assert await stream.next() == ("approval", {"id": held.approval_id, "version": 1})
        reviewed = await server.review(held, "carol")
        assert await stream.next() == ("approval", {"id": held.approval_id, "version": reviewed.version})


async def test_stream_goes_on_behind_what_was_reached(server: Placet, bob: Browser) -> None:
    async with following(bob) as stream:
        reached = (await stream.begun()).last
    held = await opened(server)
    for query, headers in ((f"?after={reached}", {}), ("", {"Last-Event-ID": reached})):
        async with following(bob, query, **headers) as stream:
            assert await stream.next() == ("approval", {"id": held.approval_id, "version": 1})
    async with following(bob, f"?after={reached}", **{"Last-Event-ID": stream.last}) as stream:
        other = await opened(server)
        assert (await stream.next())[1]["id"] == other.approval_id


async def test_place_that_is_none_makes_the_page_read_again(server: Placet, bob: Browser) -> None:
    async with following(bob, "?after=nonsense") as stream:
        assert await stream.next() == ("again", {})
        await stream.begun()
        held = await opened(server)
        assert (await stream.next())[1]["id"] == held.approval_id


async def test_sixth_stream_of_a_session_gets_an_answer(server: Placet, bob: Browser) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST):
            await (await stack.enter_async_context(following(bob))).begun()
        async with following(bob) as sixth:
            assert sixth.answer.status == 429
            assert f"{MOST} pages of this login follow the queue already" in await sixth.answer.text()
        async with browser(server.http) as other:
            await other.log_in("bob")
            async with following(other) as stream:
                await stream.begun()
    async with asyncio.timeout(20):
        while True:  # the places of streams that ended are free again
            async with following(bob) as stream:
                if stream.answer.status == 200:
                    break


async def test_streams_take_no_room_of_watches(server: Placet, bob: Browser) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST):
            await (await stack.enter_async_context(following(bob))).begun()
        watches = [
            server.reviews.WatchQueue(WatchQueueRequest(changes_only=True), metadata=server.metadata("bob"))
            for _ in range(8)
        ]
        assert [(await watch.read()).HasField("approval") for watch in watches] == [False] * 8
        for watch in watches:
            watch.cancel()


async def test_stream_ends_with_its_session(server: Placet, bob: Browser) -> None:
    async with following(bob) as stream:
        await stream.begun()
        await bob.log_out()
        await opened(server)
        with pytest.raises(EOFError):
            await stream.next()


async def test_stream_ends_when_the_server_stops(state: Path, mongod: MongodProcess) -> None:
    async with AsyncExitStack() as stack:
        async with placet(state, mongod.uri) as own:
            bob = await stack.enter_async_context(browser(own.http))
            await bob.log_in("bob")
            stream = await (await stack.enter_async_context(following(bob))).begun()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < GRACE_SECONDS
        with pytest.raises(EOFError):
            await stream.next()


async def test_who_has_no_session_or_no_role_follows_nothing(server: Placet) -> None:
    async with browser(server.http) as dana:
        assert (await dana.send("GET", "/inbox/events", **FAST)).status == 401
        await dana.log_in("dana")
        assert (await dana.send("GET", "/inbox/events", **FAST)).status == 403


async def test_beat_comes_where_nothing_else_does_and_no_piece_is_lost() -> None:
    gate, ended = asyncio.Event(), asyncio.Event()

    async def told() -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await gate.wait()
            yield b"two"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with aclosing(beating(told(), 0.01)) as pieces:
        assert [await anext(pieces) for _ in range(3)] == [b"one", BEAT, BEAT]
        gate.set()
        while (piece := await anext(pieces)) == BEAT:
            pass
        assert piece == b"two"
    assert ended.is_set()
