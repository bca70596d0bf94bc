"""Sends a message to one webhook by HTTP. The address that is checked is the one to which the socket connects."""

import socket
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from pdp.address import webhook_host
from pdp.errors import SetupError
from pdp.notify import destination, signature
from pdp.notify.api_key import api_key
from pdp.notify.incoming import Format

SECONDS = 5.0
"""Seconds of one attempt, from the look-up of the name to the answer's status."""
_SUCCESS = 2
"""The first digit of an HTTP status that says success."""


class _AddressRefused(OSError):
    """The host's name has an address to which no message may go."""


Headers: TypeAlias = Callable[[str, bytes], Mapping[str, str]]
"""The headers of one attempt, by the message's id and its body. Raises `SetupError` where it can have none now."""


class Endpoint:
    """One webhook, or the address of `lineage.forward`. `events` are the events that a webhook is told of."""

    def __init__(
        self,
        name: str,
        url: str,
        host: str,
        headers: Headers,
        events: Collection[str] = (),
        of: Format = Format.CLOUDEVENTS,
    ) -> None:
        self.name, self.events, self.format = name, frozenset(events), of
        self._url, self._host, self._headers = url, host, headers

    @classmethod
    def of(cls, name: str, url: str, secret: Path, events: Collection[str], format: str = "cloudevents") -> Self:  # noqa: A002  # the configuration's word
        """The configured webhook. Raises `SetupError` if its secret cannot be used."""
        taking = Format(format)
        if taking is not Format.CLOUDEVENTS:
            address = secret_address(secret)
            return cls(name, address, webhook_host(address), bearing(None), events, taking)
        return cls(name, url, webhook_host(url), signed(signature.secret(secret)), events)

    @classmethod
    def of_lineage(cls, name: str, url: str, api_key: Path | None) -> Self:
        """Who is told of lineage, at OpenLineage's address. Raises `SetupError` if its key cannot be used."""
        headers = bearing(api_key)
        headers("", b"")
        return cls(name, f"{url}/api/v1/lineage", webhook_host(url), headers)

    @property
    def place(self) -> str:
        """Where it is, without the path, which may be a secret."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc}"

    async def send(self, message_id: str, body: bytes) -> str:
        """Send a message once. Returns the problem, or "" if the webhook took the message (HTTP status 2xx).

        It uses no proxy, follows no redirect, keeps no connection and does not read an answer's body.
        """
        try:
            headers = {**self._headers(message_id, body), "user-agent": "placet"}
        except SetupError:
            return "its key cannot be used"
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


def secret_address(file: Path) -> str:
    """The address of an incoming webhook, which is a secret. Raises `SetupError` that does not tell it."""
    address = api_key(file)
    try:
        webhook_host(address)
    except ValueError as error:
        raise SetupError(f"{file} holds no address of a webhook: it {error}") from None
    return address


def signed(key: bytes) -> Headers:
    """The headers of webhooks: CloudEvents, signed."""

    def headers(message_id: str, body: bytes) -> Mapping[str, str]:
        found = signature.headers(key, message_id, int(time.time()), body)
        return {**found, "content-type": "application/cloudevents+json; charset=utf-8"}

    return headers


def bearing(file: Path | None) -> Headers:
    """The headers of OpenLineage, with the token of a file that is read again for each attempt."""

    def headers(_id: str, _body: bytes) -> Mapping[str, str]:
        found = {"authorization": f"Bearer {api_key(file)}"} if file else {}
        return {**found, "content-type": "application/json"}

    return headers
