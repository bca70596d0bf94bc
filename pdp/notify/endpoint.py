"""One webhook over HTTP: a message is sent once, to an address that was checked as the connection's own."""

import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

import aiohttp

from pdp.address import webhook_host
from pdp.notify import destination, signature

SECONDS = 5.0
"""For one attempt, from the look-up of the name to the answer's status."""
_SUCCESS = 2
_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class _AddressRefused(OSError):
    """The name leads to an address at which no message may arrive."""


class Endpoint:
    """Where one webhook's messages go. `events` are what it is told of."""

    def __init__(self, name: str, url: str, host: str, key: bytes, events: Collection[str]) -> None:
        self.name, self.events = name, frozenset(events)
        self._url, self._host, self._key = url, host, key

    @classmethod
    def of(cls, name: str, url: str, secret: Path, events: Collection[str]) -> Self:
        """The webhook as it is configured. `SetupError` where its secret cannot be used."""
        return cls(name, url, webhook_host(url), signature.secret(secret), events)

    async def send(self, message_id: str, body: bytes) -> str:
        """Send once; what stood in the way, empty where the other side took it (HTTP status 2xx).

        No proxy, no redirect, no connection kept; an answer's body is not read.
        """
        headers = signature.headers(self._key, message_id, int(time.time()), body)
        headers |= {"content-type": _CONTENT_TYPE, "user-agent": "placet"}
        connector = aiohttp.TCPConnector(use_dns_cache=False, force_close=True, socket_factory=self._socket)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return "" if response.status // 100 == _SUCCESS else f"HTTP status {response.status}"
        except TimeoutError:
            return f"no answer within {SECONDS:.0f} s"
        except aiohttp.ClientSSLError:
            return "its TLS certificate is not trusted"
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, _AddressRefused)
            return "its name leads to an address that is not public" if refused else "no connection"
        except Exception:  # noqa: BLE001  # whatever the other side does ends an attempt, never the server
            return "the connection broke"

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """The socket of the connection to one resolved address: what is checked is what is connected to."""
        family, kind, protocol, _, address = found
        if not destination.may_connect(self._host, address[0]):
            raise _AddressRefused
        return socket.socket(family, kind, protocol)
