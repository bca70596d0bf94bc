"""The HTTP face of a server: where it listens, and what it calls itself."""

import socket
from pathlib import Path

import pytest

from pdp.config import Http
from pdp.errors import SetupError
from pdp.http.app import listening
from pdp.process.mongod import MongodProcess
from tests.parts import placet
from tests.web import send


async def test_port_that_is_taken_is_told_with_what_to_change(state: Path, mongod: MongodProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = Http(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SetupError, match=r"cannot listen on 127\.0\.0\.1:\d+; .*http\.listen"):
            async with placet(state, mongod.uri, http=http):
                pass


async def test_of_two_at_once_one_has_the_port_and_the_other_is_elsewhere() -> None:
    with listening("127.0.0.1:0", elsewhere=False) as first:
        address = f"127.0.0.1:{first.getsockname()[1]}"
        with listening(address, elsewhere=True) as second:
            assert second.getsockname() != first.getsockname()
        with pytest.raises(SetupError):
            listening(address, elsewhere=False)
        with socket.create_connection(first.getsockname(), timeout=5) as client:
            assert client.getpeername() == first.getsockname()


async def test_face_of_this_machine_is_called_as_its_pages_call_it(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, http=Http(listen="127.0.0.1:0")) as server:
        found = await send(server, "GET", "/.well-known/authzen-configuration")
        assert found.json["policy_decision_point"] == server.http
        assert server.http.startswith("http://localhost:")
