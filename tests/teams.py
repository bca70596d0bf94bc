"""A double of what Microsoft has for Teams: published keys, the login of app and people, the connector, and clicks.

It enforces: the keys that sign with their endorsements, the app's secret and scope, its token at each call,
conversations and messages that exist, 28 KB a message, Retry-After.
"""

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from pdp.microsoft import ISSUER, Microsoft
from tests.entra import EntraDouble

APP = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ELSEWHERE = "99999999-bbbb-cccc-dddd-eeeeeeeeeeee"
SECRET = "app~secret"  # noqa: S105  # of the double alone
SERVICE = "https://smba.trafficmanager.net/emea/"
CHANNEL = "19:stewards@thread.tacv2"
MAX_MESSAGE = 28_000
PEOPLE = {
    name: f"00000000-0000-0000-0000-{index:012}"
    for index, name in enumerate(("bob", "carol", "alice", "nobody", "dave"), 1)
}
"""Object ids in Entra."""


def account(name: str, tenant: str = TENANT) -> str:
    return f"teams:{tenant}/{PEOPLE[name]}"


@dataclass
class Message:
    """A message that the app sent, as it stands; `versions` are what it said before."""

    conversation: str
    id: str
    activity: Any
    reply_to: str = ""
    versions: list[Any] = field(default_factory=list)


class TeamsDouble:
    """Serves the addresses of Microsoft, and clicks at `app_url`."""

    def __init__(self) -> None:
        self.key, self.unendorsed = _key("k1"), _key("k2")
        self.endorsements = {"k1": ["msteams", "webchat"], "k2": ["webchat"]}
        self.app_url = self.url = ""
        self.messages: list[Message] = []
        self.refusals: list[tuple[int, Mapping[str, str]]] = []
        """Statuses and headers with which the connector answers its next calls."""
        self.tokens: list[str] = []
        """The app's tokens that count."""
        self.secret = SECRET
        self.waits_seconds = 5.0
        self.entra = EntraDouble(TENANT, APP, PEOPLE)
        self._runner: web.AppRunner | None = None

    @property
    def microsoft(self) -> Microsoft:
        where = f"{self.url}/metadata", f"{self.url}/login", f"{self.url}/teams"
        return Microsoft(*where, waits_seconds=self.waits_seconds)

    async def start(self) -> None:
        app = web.Application()
        conversations = "/teams/v3/conversations"
        app.add_routes(
            [
                web.get("/metadata", self._metadata),
                web.get("/keys", self._keys),
                *self.entra.routes("/login"),
                web.post("/login/{tenant}/oauth2/v2.0/token", self._login),
                web.post(conversations, self._begin),
                web.post(conversations + "/{conversation}/activities", self._send),
                web.post(conversations + "/{conversation}/activities/{activity}", self._send),
                web.put(conversations + "/{conversation}/activities/{activity}", self._change),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.entra.url = f"{self.url}/login"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    def token(self, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """What the connector sends with a message; None leaves a claim out."""
        now, signing = int(time.time()), key or self.key
        good = {"iss": ISSUER, "aud": APP, "nbf": now - 10, "exp": now + 600, "serviceurl": SERVICE}
        held = {name: value for name, value in {**good, **claims}.items() if value is not None}
        header = {"alg": algorithm, "typ": "JWT", "kid": signing.kid}
        return jwt.encode(header, held, signing, algorithms=[algorithm])

    def by_public_key(self) -> str:
        """The same claims, signed with HMAC by the text of the public key (RFC 8725, section 2.1)."""
        _, claims, _ = self.token().split(".")
        signed = f"{_part(json.dumps({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'}).encode())}.{claims}"
        return f"{signed}.{_part(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"

    def activity(self, name: str, data: Any, who: str = "bob", **changes: Any) -> dict[str, Any]:
        """A click as Teams describes it."""
        made = {
            "type": "invoke",
            "name": name,
            "id": "f:1",
            "channelId": "msteams",
            "serviceUrl": SERVICE,
            "from": {"id": f"29:{who}", "name": who, "aadObjectId": PEOPLE[who]},
            "recipient": {"id": f"28:{APP}", "name": "Placet"},
            "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": f"a:{who}"},
            "channelData": {"tenant": {"id": TENANT}, "source": {"name": "message"}},
            "value": {"data": data, "context": {"theme": "default"}},
        }
        return {**made, **changes}

    async def send(self, activity: Any, token: str | None = None) -> tuple[int, Any]:
        """Send a message to the app: the status, and what it answers."""
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        headers |= {"Content-Type": "application/json; charset=utf-8"}
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self.app_url, data=body, headers=headers) as answer,
        ):
            text = await answer.read()
            return answer.status, json.loads(text) if text else None

    async def _metadata(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, _: web.Request) -> web.Response:
        keys = [{**key.as_dict(private=False), "use": "sig"} for key in (self.key, self.unendorsed)]
        return web.json_response({"keys": [{**key, "endorsements": self.endorsements[key["kid"]]} for key in keys]})

    async def _login(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("grant_type") == "authorization_code":
            return await self.entra.given(request, form, self.secret)
        scope = "https://api.botframework.com/.default"
        wanted = {"grant_type": "client_credentials", "client_id": APP, "client_secret": self.secret, "scope": scope}
        if request.match_info["tenant"] != TENANT or form != wanted:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens = [secrets.token_urlsafe(16)]
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": self.tokens[0]})

    async def _begin(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        if asked["bot"]["id"] != f"28:{APP}" or asked["channelData"]["tenant"]["id"] != TENANT:
            raise web.HTTPForbidden
        if not asked["isGroup"]:
            [member] = asked["members"]
            if member["id"] not in PEOPLE.values():
                raise web.HTTPForbidden
            return web.json_response({"id": f"a:{member['id']}"}, status=201)
        if asked["channelData"]["channel"]["id"] != CHANNEL:
            raise web.HTTPForbidden
        made = self._kept("", asked["activity"])
        made.conversation = f"{CHANNEL};messageid={made.id}"
        return web.json_response({"id": made.conversation, "activityId": made.id}, status=201)

    async def _send(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        made = self._kept(request.match_info["conversation"], asked, request.match_info.get("activity", ""))
        return web.json_response({"id": made.id}, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        asked, way = await self._asked(request), request.match_info
        found = [one for one in self.messages if (one.conversation, one.id) == (way["conversation"], way["activity"])]
        if not found:
            raise web.HTTPNotFound
        found[0].versions.append(found[0].activity)
        found[0].activity = asked
        return web.json_response({"id": found[0].id})

    async def _asked(self, request: web.Request) -> Any:
        """What a call sends, if it may."""
        if self.refusals:
            status, headers = self.refusals.pop(0)
            raise _Refusal(status, headers)
        if request.headers.get("Authorization") not in [f"Bearer {token}" for token in self.tokens]:
            raise web.HTTPUnauthorized
        body = await request.read()
        if len(body) > MAX_MESSAGE:
            raise web.HTTPRequestEntityTooLarge(MAX_MESSAGE, len(body))
        return json.loads(body)

    def _kept(self, conversation: str, activity: Any, reply_to: str = "") -> Message:
        made = Message(conversation, f"1:{len(self.messages)}", activity, reply_to)
        self.messages.append(made)
        return made


class _Refusal(web.HTTPException):
    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status_code = status
        super().__init__(headers=headers)


@asynccontextmanager
async def double() -> AsyncIterator[TeamsDouble]:
    made = TeamsDouble()
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


def texts(part: Any) -> list[str]:
    """Every text that a card shows, in order."""
    if isinstance(part, list):
        return [text for one in part for text in texts(one)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") == "TextRun" else []
    return own + [text for name, one in part.items() if name != "data" for text in texts(one)]


def words(card: Any) -> str:
    """The same on one line."""
    return " ".join(" ".join(texts(card)).replace("\u00a0", " ").split())
