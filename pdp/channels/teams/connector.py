"""The Bot Connector's REST API, and its errors as ours. Our token goes to its one address alone."""

import asyncio
import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from pdp.channels.notice import Refused
from pdp.channels.teams.cards import Card
from pdp.errors import SetupError
from pdp.microsoft import Microsoft
from pdp.notify.api_key import api_key
from pdp.unreachable import why

CALL_SECONDS = 10.0
"""Seconds that a call may take."""
MAX_BYTES = 64 * 1024
"""Bytes of an answer that are read."""
EARLY_SECONDS = 120.0
"""Seconds before its end at which a token counts as over."""
SCOPE = "https://api.botframework.com/.default"
"""What our token is for."""


class Connector:
    """Calls the connector as the app. The secret is read for each token, so that a new one may be put there."""

    def __init__(self, app_id: str, tenant: str, secret: Path, microsoft: Microsoft) -> None:
        self._app_id, self._tenant, self._secret, self._microsoft = app_id, tenant, secret, microsoft
        self._token, self._until = "", 0.0
        self.problem = ""
        """Why nothing is taken from us, until a call succeeds."""

    async def with_person(self, object_id: str) -> str:
        """The conversation with one person, who has the app. Raises `Refused`."""
        members = {"members": [{"id": object_id}], "isGroup": False, "tenantId": self._tenant}
        found = await self._call("POST", [], self._start | members)
        return str(found.get("id", ""))

    async def in_channel(self, channel: str, activity: Card) -> tuple[str, str]:
        """Begin a thread in a channel: the thread's conversation, and its first message. Raises `Refused`."""
        held = {"tenant": {"id": self._tenant}, "channel": {"id": channel}}
        asked = self._start | {"isGroup": True, "channelData": held, "activity": activity}
        found = await self._call("POST", [], asked)
        return str(found.get("id", "")), str(found.get("activityId", ""))

    async def send(self, conversation: str, activity: Card, reply_to: str = "") -> str:
        """Send a message; its id. Raises `Refused`."""
        further = [reply_to] if reply_to else []
        asked = activity | ({"replyToId": reply_to} if reply_to else {})
        found = await self._call("POST", [conversation, "activities", *further], asked)
        return str(found.get("id", ""))

    async def change(self, conversation: str, activity_id: str, activity: Card) -> None:
        """Change a message. Raises `Refused`."""
        await self._call("PUT", [conversation, "activities", activity_id], activity | {"id": activity_id})

    async def check(self) -> None:
        """Raise `Refused` unless Microsoft gives us a token now."""
        self._until = 0.0
        async with self._session() as session:
            await self._bearer(session)
        self.problem = ""

    @property
    def _start(self) -> Card:
        return {"bot": {"id": f"28:{self._app_id}"}, "channelData": {"tenant": {"id": self._tenant}}}

    async def _call(self, method: str, way: list[str], asked: Card) -> Mapping[str, Any]:
        path = "/".join(["v3", "conversations", *(quote(step, safe="") for step in way)])
        async with self._session() as session:
            token = await self._bearer(session)
            url, headers = f"{self._microsoft.connector}/{path}", {"authorization": f"Bearer {token}"}
            status, wait, found = await _asked(session, method, url, json=asked, headers=headers)
        if status == HTTPStatus.UNAUTHORIZED:
            self._until = 0.0
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused("the connector", self._microsoft.connector, status, wait)
        self.problem = ""
        return found

    async def _bearer(self, session: aiohttp.ClientSession) -> str:
        """Our token for the connector (OAuth 2.0, client credentials)."""
        if time.monotonic() < self._until:
            return self._token
        try:
            secret = await asyncio.to_thread(api_key, self._secret)
        except SetupError as error:
            self.problem = error.sentence
            raise Refused(error.sentence, dead=True) from None
        form = {"grant_type": "client_credentials", "client_id": self._app_id, "client_secret": secret, "scope": SCOPE}
        url = f"{self._microsoft.login}/{self._tenant}/oauth2/v2.0/token"
        status, wait, found = await _asked(session, "POST", url, data=form)
        token, lasts = found.get("access_token"), found.get("expires_in")
        if status != HTTPStatus.OK or not isinstance(token, str) or not isinstance(lasts, int):
            ours = status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}
            refuses = HTTPStatus.UNAUTHORIZED if ours else status
            raise self._refused("the login for our token", self._microsoft.login, refuses, wait)
        self._token, self._until = token, time.monotonic() + lasts - EARLY_SECONDS
        return token

    def _refused(self, who: str, url: str, status: int, wait: float | None) -> Refused:
        """Our error, which says the status alone. 403 is of one conversation: who blocks the app stops no other."""
        problem = f"Teams: {who} answers with the HTTP status {status}"
        is_dead = status == HTTPStatus.UNAUTHORIZED
        if is_dead:
            self.problem = problem
        is_away = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        is_large = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        mend = f"{url}: check teams.app_id, teams.tenant, and the file that teams.secret names"
        return Refused(problem, retry_after=wait, dead=is_dead, away=is_away, too_large=is_large, mend=mend)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))


async def _asked(
    session: aiohttp.ClientSession, method: str, url: str, **sent: Any
) -> tuple[int, float | None, Mapping[str, Any]]:
    """The status of an answer, the seconds that it wants to hear nothing, and what it says. Raises `Refused`."""
    try:
        async with session.request(method, url, allow_redirects=False, **sent) as response:
            body = await response.content.read(MAX_BYTES)
            found = _object(body) if response.ok else {}
            return response.status, _wait(response), found
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        where = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        mend = f"{where}: {why(error)}; check that this machine may connect to it"
        raise Refused("Teams did not answer", away=True, mend=mend) from None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wait(response: aiohttp.ClientResponse) -> float | None:
    if response.status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 1.0
