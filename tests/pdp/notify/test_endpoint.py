"""Sending one message: names by what they lead to, and whatever answers there."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pdp.notify.endpoint import Endpoint, signed


@asynccontextmanager
async def listener(
    tls: ssl.SSLContext | None = None, says: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
) -> AsyncIterator[tuple[int, list[object]]]:
    """Something on every address of this machine that counts who connects, and answers."""
    came: list[object] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername"))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, ssl=tls)  # noqa: S104
    async with server:
        yield server.sockets[0].getsockname()[1], came


NAMES = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0"),  # noqa: S104
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", socket.gethostname().lower()),
]


@pytest.mark.parametrize("name", NAMES)
async def test_name_that_leads_inside_is_not_connected_to(name: str) -> None:
    async with listener() as (port, came):
        elsewhere = Endpoint("ops", f"http://{name}:{port}/", "hooks.example.com", signed(b"k" * 24))
        problems = {"its name leads to an address that is not public", "the connection broke"}
        assert await elsewhere.send("rec_1", b"{}") in problems  # aiohttp itself takes some for no host
        assert not came
        here = Endpoint("ops", f"http://localhost:{port}/", "localhost", signed(b"k" * 24))
        assert not await here.send("rec_1", b"{}")
        assert len(came) == 1


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server for localhost needs whose certificate nobody vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async with listener(self_signed(tmp_path)) as (port, came):
        here = Endpoint("ops", f"https://localhost:{port}/", "localhost", signed(b"k" * 24))
        assert await here.send("rec_1", b"{}") == "its TLS certificate is not trusted"
        assert not came


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        (b"", "the connection broke"),
        (b"\0\xff\r\n\r\n", "the connection broke"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "the connection broke"),
        (b"HTTP/1.1 99999 X\r\n\r\n", "the connection broke"),
        (b"HTTP/1.1 2\r\n\r\n", "the connection broke"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n", "the connection broke"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "the connection broke"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP status 101"),
        (b"HTTP/1.1 301 Moved Permanently\r\nLocation: http://169.254.169.254/\r\n\r\n", "HTTP status 301"),
        (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", "HTTP status 401"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\nnot gzip.", ""),
    ],
)
async def test_whatever_is_answered_ends_the_attempt_and_no_more(says: bytes, problem: str) -> None:
    async with listener(says=says) as (port, came):
        here = Endpoint("ops", f"http://localhost:{port}/", "localhost", signed(b"k" * 24))
        assert await here.send("rec_1", b"{}") == problem
        assert len(came) == 1


async def test_nobody_there_is_said() -> None:
    async with listener() as (port, _):
        pass
    here = Endpoint("ops", f"http://localhost:{port}/", "localhost", signed(b"k" * 24))
    assert await here.send("rec_1", b"{}") == "no connection"
    nowhere = Endpoint("ops", "https://nowhere.invalid/", "nowhere.invalid", signed(b"k" * 24))
    assert await nowhere.send("rec_1", b"{}") in {"no connection", "no answer within 5 s"}


async def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listener() as (proxy, asked), listener() as (port, came):
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy}")
        assert not await Endpoint("ops", f"http://127.0.0.1:{port}/", "127.0.0.1", signed(b"k" * 24)).send(
            "rec_1", b"{}"
        )
    assert (len(asked), len(came)) == (0, 1)
