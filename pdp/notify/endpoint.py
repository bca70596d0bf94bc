"""Sends a message to one webhook by HTTP. The address that is checked is the one to which the socket connects."""

import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

import aiohttp

from pdp.address import webhook_host
from pdp.notify import destination, signature

SECONDS = 5.0
"""Seconds of one attempt, from the look-up of the name to the answer's status."""
_SUCCESS = 2
"""The first digit of an HTTP status that says success."""
_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class _AddressRefused(OSError):
    """The host's name has an address to which no message may go."""


class Endpoint:
    """One webhook. `events` are the events of which it is told."""

    def __init__(self, name: str, url: str, host: str, key: bytes, events: Collection[str]) -> None:
        self.name, self.events = name, frozenset(events)
        self._url, self._host, self._key = url, host, key

    @classmethod
    def of(cls, name: str, url: str, secret: Path, events: Collection[str]) -> Self:
        """The configured webhook. Raises `SetupError` if its secret cannot be used."""
        return cls(name, url, webhook_host(url), signature.secret(secret), events)

    async def send(self, message_id: str, body: bytes) -> str:
        """Send a message once. Returns the problem, or "" if the webhook took the message (HTTP status 2xx).

        It uses no proxy, follows no redirect, keeps no connection and does not read an answer's body.
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
        except Exception:  # noqa: BLE001  # nothing that the other side does may end more than this attempt
            return "the connection broke"

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """The socket for one resolved address, which is checked here, just before it connects to it."""
        family, kind, protocol, _, address = found
        if not destination.may_connect(self._host, address[0]):
            raise _AddressRefused
        return socket.socket(family, kind, protocol)
