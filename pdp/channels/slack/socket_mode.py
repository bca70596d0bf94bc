"""Socket Mode: one connection of this process to Slack, over which clicks come. Nothing listens."""

import asyncio
import logging
from pathlib import Path

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from pdp.channels.slack.taking import Taking
from pdp.channels.slack.web import SlackWeb
from pdp.notify.api_key import api_key

log = logging.getLogger(__name__)

PING_SECONDS = 5.0
"""Seconds between two pings; a connection that misses four of them is replaced."""
AGAIN_SECONDS = 10.0
"""Seconds until Slack is asked for a connection again."""


class SocketMode:
    """The connection, which is opened again whenever it ends. The token is read for each."""

    def __init__(self, web: SlackWeb, app_token: Path, taking: Taking, again_seconds: float = AGAIN_SECONDS) -> None:
        self._web, self._app_token, self._taking, self._again = web, app_token, taking, again_seconds
        self._client: SocketModeClient | None = None

    async def run(self) -> None:
        """Be connected until cancelled."""
        while True:
            client = self._client = await self._opened()
            try:
                client.wss_uri = await client.issue_new_wss_url()
                await client.connect()  # type: ignore[no-untyped-call]
                await asyncio.Event().wait()
            except Exception as error:  # noqa: BLE001  # each of its errors is a connection that failed
                log.warning("slack: no connection (%s); it is tried again", type(error).__name__)
                await asyncio.sleep(self._again)
            finally:
                await client.close()  # type: ignore[no-untyped-call]

    async def is_connected(self) -> bool:
        """Whether clicks would arrive."""
        return self._client is not None and await self._client.is_connected()

    async def _opened(self) -> SocketModeClient:
        token = await asyncio.to_thread(api_key, self._app_token)
        client = SocketModeClient(token, web_client=self._web.client(""), ping_interval=PING_SECONDS)
        client.socket_mode_request_listeners.append(self._taken)
        return client

    async def _taken(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload = request.payload if request.type == "interactive" else None
        answer = self._taking.take(payload, request.envelope_id)
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))
