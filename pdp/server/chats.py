"""The chats to which a server is connected: what they tell of their health, take over HTTP, and run."""

from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

from pdp.channels.ways import Way
from pdp.config import Config
from pdp.http.route import Hook
from pdp.microsoft import Microsoft
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.server.slack import Slack, slack
from pdp.server.teams import Teams, teams


@dataclass(frozen=True, slots=True)
class Chats:
    """Those that are configured."""

    connected: Sequence[Slack | Teams]

    @classmethod
    def of(cls, config: Config, flows: Flows, parts: Parts, slack_host: str, microsoft: Microsoft) -> Self:
        """As configured, at these addresses. Raises `SetupError` where a token or a secret cannot be read."""
        made = slack(config, flows, parts, slack_host), teams(config, flows, parts, microsoft)
        return cls([one for one in made if one is not None])

    @property
    def ways(self) -> list[Way]:
        """How people are told there."""
        return [Way(one.channel, one.addresses, one.groups) for one in self.connected]

    @property
    def hooks(self) -> list[Hook]:
        """The paths that they call."""
        return [hook for one in self.connected for hook in one.hooks]

    @property
    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """Whether clicks would arrive."""
        return {name: probe for one in self.connected for name, probe in one.health.items()}

    @asynccontextmanager
    async def running(self, failed: Future[None]) -> AsyncIterator[None]:
        """Be connected until the block ends."""
        async with AsyncExitStack() as stack:
            for one in self.connected:
                await stack.enter_async_context(one.running(failed))
            yield
