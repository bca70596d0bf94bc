"""Answers that nobody takes: their connections end, and one caller holds few bytes of them."""

import asyncio
import socket
import time

import pytest
import uvloop

from pdp.http.answers import Answers, Times
from pdp.http.connection import Limits
from tests.pdp.http.test_places import called, serving

LONG = 16 << 20
"""Bytes of an answer that no buffer of the system has room for."""


async def asked(port: int, caller: str, size: int = LONG) -> socket.socket:
    """A connection with a call of this caller, which reads nothing of its answer."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", port))
    await loop.sock_sendall(one, f"GET /{caller}?{size} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return one


async def taken(one: socket.socket, part: int = 1 << 20, pause: float = 0.0) -> tuple[int, float]:
    """How many bytes come until the server ends the connection or has sent all, read in parts, and in which time."""
    loop, size, began = asyncio.get_running_loop(), 0, time.monotonic()
    try:
        async with asyncio.timeout(10):
            while size < LONG and (read := await loop.sock_recv(one, part)):
                size += len(read)
                await asyncio.sleep(pause)
    except ConnectionResetError:
        pass
    one.close()
    return size, time.monotonic() - began


async def until_gone(one: socket.socket) -> float:
    """Seconds until the server has ended a connection of which nothing is read."""
    began = time.monotonic()
    async with asyncio.timeout(10):
        while not one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            await asyncio.sleep(0.02)
    one.close()
    return time.monotonic() - began


async def test_answer_that_nobody_reads_ends_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Limits(answers=Answers(Times(still=0.3)))) as port:
        assert await until_gone(await asked(port, "bot")) < 5
    assert "were not taken in time" in caplog.text


async def test_answer_that_is_read_too_slowly_ends_its_connection() -> None:
    async with serving(Limits(answers=Answers(Times(still=60, whole=0.5)))) as port:
        size, seconds = await taken(await asked(port, "bot"), part=4096, pause=0.05)
        assert size < LONG
        assert seconds < 8


async def test_answer_that_is_read_comes_whole_and_another_after_it() -> None:
    async with serving(Limits(answers=Answers(Times(still=5)))) as port:
        reader, writer = await called(port, "/bot")
        for _ in range(2):
            writer.write(f"GET /bot?{LONG} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            async with asyncio.timeout(10):
                await reader.readuntil(b"\r\n\r\n")
                assert len(await reader.readexactly(LONG)) == LONG
        writer.close()


async def test_caller_holds_few_answers_and_others_are_answered() -> None:
    async with serving(Limits(answers=Answers(Times(), LONG + 1024))) as port:
        first = await asked(port, "bot")
        assert await asyncio.get_running_loop().sock_recv(first, 100)
        further = await asked(port, "bot", 1024)
        assert b" 500 " in await asyncio.get_running_loop().sock_recv(further, 100)
        _, writer = await called(port, "/dana")
        assert (await taken(first))[0] < LONG + 1024
        _, again = await called(port, "/bot")
        for one in (writer, again, further):
            one.close()


async def test_answer_for_which_there_is_no_room_is_not_kept() -> None:
    async with serving(Limits(answers=Answers(Times(), LONG // 2))) as port:
        assert (await taken(await asked(port, "bot")))[0] == 0


def test_same_holds_on_the_event_loop_of_production() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_answer_that_is_read_comes_whole_and_another_after_it())
        runner.run(unread_on_uvloop())


async def unread_on_uvloop() -> None:
    async with serving(Limits(answers=Answers(Times(still=0.3)))) as port:
        assert await until_gone(await asked(port, "bot")) < 5
