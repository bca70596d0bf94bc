"""Puts Microsoft Teams together: the channel for notices, and the clicks that come over HTTP."""

from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pdp.authn.connector import ConnectorTokens
from pdp.background import background
from pdp.channel import Channel
from pdp.channels.addresses import AccountAddresses
from pdp.channels.teams.activity import read
from pdp.channels.teams.answering import Answering
from pdp.channels.teams.channel import TeamsChannel
from pdp.channels.teams.connector import Connector
from pdp.channels.verdicts import Verdicts
from pdp.channels.ways import Way
from pdp.chat_view import ChatViewSealer
from pdp.config import Config
from pdp.errors import SetupError
from pdp.http.route import JSON, Answer, Hook
from pdp.microsoft import Microsoft
from pdp.notify.api_key import api_key
from pdp.server.approving import whole_approval
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.workflow.chat_views import ChatViews

PATH = "/teams/messages"
"""Where Teams sends clicks: the messaging endpoint of the bot."""
SPARE_SECONDS = 0.2
"""Seconds before the end of Teams' patience at which a message has no more time here."""


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams as it is connected to one process."""

    connector: Connector
    answering: Answering
    ways: Sequence[Way]
    tokens: ConnectorTokens
    hooks: Sequence[Hook]

    @property
    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """Its probe: whether Teams took our last call, and clicks would be known for its own."""
        return {"teams.clicks": self._is_healthy}

    @asynccontextmanager
    async def running(self, failed: Future[None]) -> AsyncIterator[None]:
        """Fetch the connector's keys now, and again and again until the block ends; clicks of before are worked on."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.answering.settled)
            await stack.enter_async_context(background(self.tokens.keys.run(), failed))
            await self.tokens.keys.renewed()
            yield

    async def _is_healthy(self) -> bool:
        return not self.connector.problem and bool(self.tokens.keys.keys)


def teams(config: Config, flows: Flows, parts: Parts, microsoft: Microsoft) -> Teams | None:
    """Teams as configured; None where it is not. Raises `SetupError` where its secret cannot be read."""
    settings = config.teams
    if settings is None:
        return None
    try:
        api_key(settings.secret)
    except SetupError as error:
        raise SetupError(f"teams.secret: {error.sentence}") from None
    connector = Connector(settings.app_id, settings.tenant, settings.secret, microsoft)
    tokens = ConnectorTokens(settings.app_id, microsoft)
    views = ChatViews(parts.database, parts.writer, ChatViewSealer(parts.signing.seal, config.realm))
    accounts = parts.people.accounts(config, flows.batcher, parts.database)
    told = flows.reviewing, whole_approval(flows, parts), views, parts.people.site
    channel = TeamsChannel(connector)
    answering = Answering(Verdicts(Channel.TEAMS, accounts, *told), channel)
    hooks = [_hook(tokens, settings.tenant, answering, microsoft.waits_seconds - SPARE_SECONDS)]
    addresses = AccountAddresses(accounts, f"teams:{settings.tenant}/")
    return Teams(connector, answering, [Way(channel, addresses, settings.channels)], tokens, hooks)


def _hook(tokens: ConnectorTokens, tenant: str, answering: Answering, seconds: float) -> Hook:
    """The path that takes what the connector signs."""

    async def require(headers: Mapping[str, str]) -> None:
        await tokens.service_url(headers.get("authorization", ""))

    async def take(headers: Mapping[str, str], body: bytes) -> Answer:
        done = read(body, await tokens.service_url(headers.get("authorization", "")), tenant)
        return Answer(b"" if done is None else await answering.answer(done))

    return Hook(PATH, "Review", require, take, media=JSON, usual_seconds=seconds)
