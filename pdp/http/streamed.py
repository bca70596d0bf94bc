"""An answer that goes on: pieces that leave as they come, each when the one before it was taken."""

from collections.abc import AsyncGenerator

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from pdp.http.answers import Sending


class Streamed(Payload):
    """The body of an answer without a length. Who does not take a piece in the time of an answer loses the rest."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        super().__init__(pieces)
        self.sending: Sending | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002  # aiohttp's
        """Nobody knows it before it has ended."""
        raise TypeError

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it. Raises `TimeoutError` if a piece is not taken in time."""
        assert self.sending is not None  # noqa: S101  # the connection sets it before it writes
        async for piece in self._value:
            self.sending.again()
            await writer.write(piece)
            await self.sending.taken()

    async def close(self) -> None:
        """End what makes the pieces."""
        await self._value.aclose()
