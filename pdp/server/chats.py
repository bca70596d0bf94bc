"""Puts together the chats in which people are told of requests, and review: those that are configured."""

from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from pdp.channels.ways import Way
from pdp.config import Config
from pdp.http.route import Hook
from pdp.server.flows import Flows
from pdp.server.outside import Outside
from pdp.server.parts import Parts
from pdp.server.slack import slack
from pdp.server.teams import teams


class Chat(Protocol):
    """One chat, as it is connected to this process."""

    @property
    def hooks(self) -> Sequence[Hook]:
        """The paths on which it says what people clicked."""

    @property
    def ways(self) -> Sequence[Way]:
        """How people are told in it."""

    @property
    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """Its probes."""

    def running(self, failed: Future[None]) -> AbstractAsyncContextManager[None]:
        """Be connected until the block ends."""


@dataclass(frozen=True, slots=True)
class Chats:
    """All of them, as one."""

    each: Sequence[Chat]

    @classmethod
    def of(cls, config: Config, flows: Flows, parts: Parts, outside: Outside) -> "Chats":
        """Those of a configured server. Raises `SetupError` where a secret cannot be read."""
        found = slack(config, flows, parts, outside.slack_host), teams(config, flows, parts, outside.microsoft)
        return cls([chat for chat in found if chat is not None])

    @property
    def hooks(self) -> Sequence[Hook]:
        """The paths of all of them."""
        return [hook for chat in self.each for hook in chat.hooks]

    @property
    def ways(self) -> Sequence[Way]:
        """How people are told in any of them."""
        return [way for chat in self.each for way in chat.ways]

    @property
    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """The probes of all of them."""
        return {name: probe for chat in self.each for name, probe in chat.health.items()}

    @asynccontextmanager
    async def running(self, failed: Future[None]) -> AsyncIterator[None]:
        """Be connected until the block ends."""
        async with AsyncExitStack() as stack:
            for chat in self.each:
                await stack.enter_async_context(chat.running(failed))
            yield
