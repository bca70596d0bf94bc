"""A connection that is reset while it opens: the call comes to the next one."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pdp.client import Client
from pdp.client.call_error import CallError
from pdp.client.resets import PAUSES_SECONDS
from tests.parts import Placet

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what is closed is reset."""


@asynccontextmanager
async def before(server: str, resets: int) -> AsyncIterator[str]:
    """An address that resets its first connections, and leads to the server from then on."""
    host, _, port = server.rpartition(":")
    left = iter(range(resets))

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(65536):
            writer.write(block)
        writer.close()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if next(left, None) is not None:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.close()
            return
        further, onward = await asyncio.open_connection(host, int(port))
        await asyncio.gather(passed(reader, onward), passed(further, writer))

    async with await asyncio.start_server(met, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_call_whose_connection_is_reset_while_it_opens_is_made_again_and_counted(server: Placet) -> None:
    token = server.metadata("report-bot")[0][1].removeprefix("Bearer ")
    async with before(server.address, 1) as address, Client(address, token) as client:
        assert (await client.facts()).realm == "dev"
        assert client.resets.count == 1


@pytest.mark.filterwarnings("ignore:Exception ignored")  # the look for the cause is reset, too, in Python's own ssl
async def test_it_ends_with_the_time_of_the_call_and_after_some_times(server: Placet) -> None:
    async with before(server.address, 100) as address:
        for timeout, most in ((5.0, len(PAUSES_SECONDS)), (0.1, 0)):
            async with Client(address, "x", timeout=timeout) as client:
                with pytest.raises(CallError) as error:
                    await client.facts()
                assert error.value.code == "UNAVAILABLE"
                assert client.resets.count == most


async def test_server_that_is_not_there_is_not_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    async with Client(address, "x") as client:
        with pytest.raises(CallError):
            await client.facts()
        assert client.resets.count == 0
