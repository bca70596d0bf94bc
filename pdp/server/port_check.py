"""Whether the addresses of a configuration are free, or taken by a server of this configuration, or by others."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp.config import Config, Tls
from pdp.errors import SetupError
from pdp.http.metadata import CONFIGURATION
from pdp.server.listener import require_addresses
from pdp.server.observed import Observed, fine, wrong

ASK_SECONDS = 3.0
"""Seconds in which the program at an address has to say what it is."""
_UNIX = "unix:"
_ANSWER_BYTES = 4096
"""Bytes of an answer that are read."""
_REFUSED = {
    errno.EACCES: "this user may not listen there; choose a port from 1024 on",
    errno.EADDRNOTAVAIL: "this machine has no such address; give one of its own, or 0.0.0.0",
    errno.EAFNOSUPPORT: "this machine has no addresses of that kind; give one of the other (IPv4 or IPv6)",
}


@dataclass(frozen=True, slots=True)
class _Place:
    field: str
    address: str
    tls: Tls | None
    is_ours: Callable[[str], Awaitable[bool]]
    """Whether a server of Placet answers at the address in plaintext."""


async def ports(config: Config) -> list[Observed]:
    """A line for each address."""
    try:
        require_addresses(config)
    except SetupError as error:
        return [wrong("ports", error.sentence)]
    return list(await asyncio.gather(*(_observed(place) for place in _places(config))))


def _places(config: Config) -> Iterator[_Place]:
    yield _Place("listen", config.listen, config.tls, _speaks_grpc)
    if config.tls and config.tls.client_listen:
        yield _Place("tls.client_listen", config.tls.client_listen, config.tls, _speaks_grpc)
    if config.masking.ticket_listen:
        yield _Place("masking.ticket_listen", config.masking.ticket_listen, config.tls, _speaks_grpc)
    if config.http:
        yield _Place("http.listen", config.http.listen, config.http_tls, _speaks_authzen)
        if config.http.client_listen:
            yield _Place("http.client_listen", config.http.client_listen, config.http_tls, _speaks_authzen)
    if config.operations:
        yield _Place("operations.listen", config.operations.listen, None, _is_alive)


async def _observed(place: _Place) -> Observed:
    what = f"port of {place.field}"
    if place.address.startswith(_UNIX):
        return _socket(what, place.address.removeprefix(_UNIX))
    if not (number := _refusal(place.address)):
        return fine(what, f"{place.address} is free")
    if number != errno.EADDRINUSE:
        return wrong(what, f"{place.address}: {_REFUSED.get(number, os.strerror(number) + '; choose another address')}")
    if await _is_taken_by_us(place):
        return fine(what, f"a server of this configuration listens on {place.address}")
    return wrong(what, f"another program listens on {place.address}; end it, or choose another address")


def _socket(what: str, path: str) -> Observed:
    folder = os.path.dirname(path)  # noqa: PTH120  # a path of text
    if os.access(folder or ".", os.W_OK):
        return fine(what, f"a server can make the socket {path}")
    return wrong(what, f"no socket can be made in {folder}; make the folder, and let this user write there")


def _refusal(address: str) -> int:
    """The number of the error with which the system refuses the address; 0 if it is free.

    It does not listen, so that a server may begin to, and somebody else may look, at the same time.
    """
    host, _, port = address.rpartition(":")
    bare = host.strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if tried.family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind((bare, int(port)))
            return 0
    except OSError as error:
        return error.errno if isinstance(error.errno, int) and error.errno > 0 else errno.EADDRNOTAVAIL


async def _is_taken_by_us(place: _Place) -> bool:
    address = place.address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")  # not bound
    with suppress(TimeoutError, OSError, ValueError, grpc.aio.AioRpcError):
        async with asyncio.timeout(ASK_SECONDS):
            return await (_shows(address, place.tls) if place.tls else place.is_ours(address))
    return False


async def _shows(address: str, tls: Tls) -> bool:
    """Whether the certificate of the configuration is shown at the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is compared, byte for byte
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    [own, *_] = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
    return bool(shown == own.public_bytes(Encoding.DER))


async def _speaks_grpc(address: str) -> bool:
    """Whether it knows the health of OPA, as a server of Placet does."""
    async with grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its stub file lacks the methods
        await stub.Check(health_pb2.HealthCheckRequest(service="opa"), timeout=ASK_SECONDS)
    return True


async def _speaks_authzen(address: str) -> bool:
    return b"policy_decision_point" in await _got(address, CONFIGURATION)


async def _is_alive(address: str) -> bool:
    answer = await _got(address, "/livez")
    return answer.rstrip().endswith(b"alive") or b"event loop" in answer


async def _got(address: str, path: str) -> bytes:
    """The first bytes of what an address answers to GET."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        found = b""
        while len(found) < _ANSWER_BYTES and (part := await reader.read(_ANSWER_BYTES)):
            found += part
        return found
    finally:
        writer.close()
