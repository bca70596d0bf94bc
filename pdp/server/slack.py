"""Puts Slack together: the channel for notices, and the clicks that come back by Socket Mode or over HTTP."""

import time
from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson

from pdp.background import background
from pdp.channel import Channel
from pdp.channels.addresses import AccountAddresses
from pdp.channels.slack import signature
from pdp.channels.slack.answering import Answering
from pdp.channels.slack.channel import SlackChannel
from pdp.channels.slack.socket_mode import SocketMode
from pdp.channels.slack.taking import Taking
from pdp.channels.slack.web import SlackWeb
from pdp.channels.verdicts import Verdicts
from pdp.channels.ways import Way
from pdp.chat_view import ChatViewSealer
from pdp.config import Config
from pdp.errors import SetupError, Unauthenticated
from pdp.http.route import Answer, Hook
from pdp.notify.api_key import api_key
from pdp.server.approving import whole_approval
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.slack_settings import SlackSettings
from pdp.workflow.chat_views import ChatViews

PATH = "/slack/interactions"
"""Where Slack sends clicks without Socket Mode."""
_REFUSED = "this is for Slack, which signs what it sends"


@dataclass(frozen=True, slots=True)
class Slack:
    """Slack as it is connected to one process."""

    web: SlackWeb
    ways: Sequence[Way]
    taking: Taking
    socket: SocketMode | None
    hooks: Sequence[Hook]

    @property
    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """Its probe: whether Slack took our last call, and clicks would arrive."""
        return {"slack.clicks": self._is_healthy}

    @asynccontextmanager
    async def running(self, failed: Future[None]) -> AsyncIterator[None]:
        """Be connected until the block ends; what was clicked until then is answered."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.taking.settled)
            if self.socket is not None:
                await stack.enter_async_context(background(self.socket.run(), failed))
            yield

    async def _is_healthy(self) -> bool:
        return not self.web.problem and (self.socket is None or await self.socket.is_connected())


def slack(config: Config, flows: Flows, parts: Parts, host: str) -> Slack | None:
    """Slack as configured, at `host`; None where it is not. Raises `SetupError` where a token cannot be read."""
    settings = config.slack
    if settings is None:
        return None
    _require_tokens(settings)
    web = SlackWeb(settings.bot_token, host)
    views = ChatViews(parts.database, parts.writer, ChatViewSealer(parts.signing.seal, config.realm))
    accounts = parts.people.accounts(config, flows.batcher, parts.database)
    told = flows.reviewing, whole_approval(flows, parts), views, parts.people.site
    taking = Taking(Answering(web, settings.team, Verdicts(Channel.SLACK, accounts, *told)))
    socket = SocketMode(web, settings.app_token, taking) if settings.app_token else None
    hooks = [_hook(settings, taking, views)] if settings.signing_secret else []
    addresses = AccountAddresses(accounts, f"slack:{settings.team}/")
    way = Way(SlackChannel(web, settings.team), addresses, settings.channels)
    return Slack(web, [way], taking, socket, hooks)


def _require_tokens(settings: SlackSettings) -> None:
    for name in ("bot_token", "app_token", "signing_secret", "client_secret"):
        path = getattr(settings, name)
        try:
            if path is not None:
                api_key(path)
        except SetupError as error:
            raise SetupError(f"slack.{name}: {error.sentence}") from None


def _hook(settings: SlackSettings, taking: Taking, views: ChatViews) -> Hook:
    """The path that takes signed clicks, each once."""
    secret = api_key(settings.signing_secret).encode() if settings.signing_secret else b""

    async def require(headers: Mapping[str, str]) -> None:
        if not signature.is_timely(headers, time.time()):
            raise Unauthenticated(_REFUSED)

    async def take(headers: Mapping[str, str], body: bytes) -> Answer:
        if not signature.is_good(headers, body, secret) or not await views.is_new(headers[signature.SIGNATURE]):
            raise Unauthenticated(_REFUSED)
        answer = taking.take(_payload(body))
        return Answer(answer or b"", HTTPStatus.OK)

    return Hook(PATH, "Review", require, take)


def _payload(body: bytes) -> object:
    """What the form holds; None where it is not one of Slack's."""
    try:
        [(name, text)] = parse_qsl(body.decode(), strict_parsing=True, max_num_fields=1)
        return orjson.loads(text) if name == "payload" else None
    except ValueError:
        return None
