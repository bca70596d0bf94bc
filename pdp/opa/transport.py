"""Carries requests to OPA. Only this file imports opa_client.

`AsyncOpaClient` as it comes retries deterministic policy errors, follows redirects, drops OPA's error body, accepts
gzip (a third slower) and cannot use a unix socket. Three of its methods are replaced here, so its version is pinned.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from opa_client.opa_async import AsyncOpaClient


class Transport(AsyncOpaClient):  # type: ignore[misc]  # the package has no types
    """The client with another transport and another request step.

    Another OPA may take the name of a unix socket at any time. Each request goes to the OPA that has it when the
    request begins, and one that has begun has `longest` seconds to be answered by the OPA of before.
    """

    def __init__(self, url: str, connections: int, longest: float) -> None:
        parts = urlsplit(url)
        self._socket = url.removeprefix("unix://") if parts.scheme == "unix" else ""
        super().__init__(host=parts.hostname or "opa", port=parts.port or 8181, ssl=parts.scheme == "https", retries=0)
        self._connections, self._longest = connections, longest
        self._file = 0
        self._before: dict[aiohttp.ClientSession, asyncio.Task[None]] = {}

    async def _init_session(self) -> None:
        connector: aiohttp.BaseConnector
        if self._socket:
            connector = aiohttp.UnixConnector(self._socket, limit=self._connections, keepalive_timeout=60)
            self._file = _inode(self._socket)
        else:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=None),
        )

    def post(self, url: str, body: bytes) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send one request and give its answer, with any status."""
        return self._request("POST", url, data=body)

    @asynccontextmanager
    async def _request(self, method: str, url: str, **arguments: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._socket and _inode(self._socket) != self._file:
            self._before[self._session] = asyncio.create_task(self._close_later(self._session))
            await self._init_session()
        async with self._session.request(method, url, allow_redirects=False, **arguments) as response:
            yield response

    async def close_connection(self) -> None:
        """Close all connections, those to an OPA of before, too."""
        for session, later in list(self._before.items()):
            later.cancel()
            await session.close()
        await super().close_connection()

    async def _close_later(self, session: aiohttp.ClientSession) -> None:
        await asyncio.sleep(self._longest)
        await session.close()
        del self._before[session]


def _inode(socket: str) -> int:
    """The file that the name of a socket leads to; 0 where it leads nowhere."""
    try:
        return os.stat(socket).st_ino  # noqa: PTH116  # before every request
    except OSError:
        return 0
