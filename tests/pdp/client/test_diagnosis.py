"""One more connection tells why a server does not answer: who speaks TLS, and whose certificate does not fit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from pdp.client.diagnosis import cause
from tests.certificates import LOCALHOST, SERVER, Authority, Pair


@asynccontextmanager
async def listening(pair: Pair | None, clients: Path | None = None) -> AsyncIterator[int]:
    """The port of a gRPC server: in plaintext, by TLS, or by TLS for clients with certificates only."""
    server = grpc.aio.server()
    if pair is None:
        port = server.add_insecure_port("localhost:0")
    else:
        authorities = clients.read_bytes() if clients else None
        own = [(pair.key.read_bytes(), pair.pem)]
        credentials = grpc.ssl_server_credentials(own, authorities, require_client_auth=clients is not None)
        port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    yield port
    await server.stop(None)


async def asked(port: int, host: str = "localhost", **files: Path) -> str:
    return await asyncio.to_thread(cause, f"{host}:{port}", **{name: str(path) for name, path in files.items()})


async def test_plaintext_meets_tls(tmp_path: Path) -> None:
    async with listening(Authority(tmp_path).server()) as port:
        assert await asked(port) == "it speaks TLS; pass --ca FILE (or PDP_CA), the PEM file of the server's authority"


async def test_tls_meets_plaintext(tmp_path: Path) -> None:
    async with listening(None) as port:
        assert await asked(port, ca=Authority(tmp_path).ca) == "it does not speak TLS; leave --ca (and PDP_CA) out"
        assert await asked(port) == ""


async def test_certificate_that_does_not_fit_is_named(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    async with listening(authority.server()) as port:
        assert await asked(port, ca=authority.ca) == ""
        assert "other.pem signed its certificate" in await asked(port, ca=other.ca)
    named = authority.issue("elsewhere", LOCALHOST[1:], [SERVER])
    async with listening(named) as port:
        assert (await asked(port, ca=authority.ca)).startswith("its certificate is not for the name localhost")


async def test_client_certificate_that_is_demanded_is_named(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    own, strange = authority.issue(), other.issue()
    async with listening(authority.server(), authority.ca) as port:
        assert "it demands a client certificate" in await asked(port, ca=authority.ca)
        assert await asked(port, ca=authority.ca, certificate=own.certificate, key=own.key) == ""
        refused = await asked(port, ca=authority.ca, certificate=strange.certificate, key=strange.key)
        assert refused == f"it does not accept the client certificate {strange.certificate}"


@pytest.mark.parametrize("address", ["localhost:1", "unix:/nowhere", "nonsense", "no-such-host.invalid:1"])
def test_nothing_is_said_where_nothing_listens(address: str) -> None:
    assert cause(address) == ""
