"""Places: a source's strangers have a share, and the oldest idle connection ends where a place is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from aiohttp import web

from pdp.http.connection import Connection, Limits, Server
from pdp.http.places import Places, source


@dataclass(eq=False)
class Place:
    source: str = "10.0.0.1"
    is_idle: bool = True
    is_ended: bool = False

    def end(self) -> None:
        self.is_ended = True


def taken(places: Places, *some: Place) -> None:
    for one in some:
        places.take(one)


def test_strangers_of_one_source_end_each_other_and_nobody_else() -> None:
    places = Places(80)
    others = [Place(f"10.1.0.{number}") for number in range(60)]
    flood = [Place() for _ in range(30)]
    taken(places, *others, *flood)
    assert [one.is_ended for one in flood] == [True] * 20 + [False] * 10
    assert not any(one.is_ended for one in others)


def test_proven_caller_keeps_its_place_beside_a_flood_of_many_sources() -> None:
    places = Places(8)
    proven = [Place(f"10.2.0.{number}") for number in range(2)]
    taken(places, *proven)
    for one in proven:
        places.proven(one)
    flood = [Place(f"10.1.0.{number}") for number in range(100)]
    taken(places, *flood)
    assert not any(one.is_ended for one in proven)
    assert [one.is_ended for one in flood] == [True] * 94 + [False] * 6


def test_where_all_are_proven_who_called_least_lately_ends() -> None:
    places = Places(2)
    first, second = Place("10.2.0.1"), Place("10.2.0.2")
    taken(places, first, second)
    for one in (first, second, first):
        places.proven(one)
    taken(places, Place("10.2.0.3"))
    assert (first.is_ended, second.is_ended) == (False, True)


def test_new_one_ends_where_none_is_idle() -> None:
    places = Places(2)
    busy = [Place(f"10.2.0.{number}", is_idle=False) for number in range(2)]
    new = Place("10.2.0.9")
    taken(places, *busy, new)
    assert [one.is_ended for one in (*busy, new)] == [False, False, True]


def test_who_left_holds_no_place() -> None:
    places = Places(2)
    for number in range(10):
        one = Place(f"10.2.0.{number % 2}")
        places.take(one)
        if number % 2:
            places.proven(one)
        places.leave(one)
        assert not one.is_ended


def test_it_is_said_once_a_minute_with_its_count(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    places = Places(8, lambda: now)
    taken(places, *[Place() for _ in range(5)])
    now = 61.0
    taken(places, Place())
    said = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in said] == ["1", "4"]
    assert said[0].endswith("10.0.0.1")


@pytest.mark.parametrize(
    ("peername", "named"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3::4", 1, 0, 0), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        (None, "an unknown address"),
    ],
)
def test_source_is_what_one_customer_has(peername: object, named: str) -> None:
    assert source(peername) == named


async def answer(request: web.BaseRequest) -> web.Response:
    """`/NAME` is a call of the caller NAME, `/` one of nobody; `?SIZE` is how long the answer is."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    if caller := request.path.strip("/"):
        connection.proven(caller)
    connection.arrived()
    return web.Response(body=b"x" * int(request.query_string or 1), status=HTTPStatus.OK)


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[int]:
    """A server with these limits, of `answer`; gives its port."""
    server = Server(answer, lambda: None, limits)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1]
    listener.close()
    await server.shutdown(1)


async def called(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which one call was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b"200" in await reader.readline()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
    return reader, writer


async def test_connection_of_a_stranger_ends_soon_after_its_answer_and_a_proven_one_stays() -> None:
    async with serving(Limits(stranger_seconds=0.2)) as port:
        proven, more = await called(port, "/bot")
        stranger, end = await called(port, "/")
        async with asyncio.timeout(3):
            assert await stranger.read() == b""
        more.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in await proven.readline()
        more.close()
        end.close()


async def test_next_request_of_a_stranger_has_its_whole_time() -> None:
    async with serving(Limits(stranger_seconds=0.5)) as port:
        reader, writer = await called(port, "/")
        writer.write(b"GET / HTTP/1.1\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await reader.readexactly(1)
        writer.write(b"Host: a\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()


async def test_strangers_that_stay_keep_nobody_out() -> None:
    async with serving(Limits(Places(16))) as port:
        proven, more = await called(port, "/bot")
        kept = [await called(port, "/") for _ in range(40)]
        for _ in range(5):
            _, honest = await called(port, "/dana")
            honest.close()
        more.write(b"GET /bot HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in await proven.readline()
        for _, writer in [*kept, (proven, more)]:
            writer.close()
