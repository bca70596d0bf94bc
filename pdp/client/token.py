"""Where a client's token comes from: a text, a file that something renews, or a function. It is read for each call."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pdp.client.call_error import CallError
from pdp.environment import Environment

Metadata = tuple[tuple[str, str], ...]
"""What goes with each call: the caller's token."""
Source = Callable[[], str]
"""Returns the token of now. It is called in the event loop, so it must not wait."""
RENEWAL_SECONDS, PAUSE_SECONDS = 10.0, 0.2
"""How long a token that has ended may be there before the next one, and the pause between two looks."""
MAX_BYTES = 64 * 1024
"""Bytes of a token file. It is far above what a server takes, and it bounds what is read of a wrong file."""


class Token:
    """The token of a client. `renews` says whether another one can take its place."""

    def __init__(self, source: Source, *, renews: bool) -> None:
        self._source, self.renews = source, renews

    @classmethod
    def of(cls, token: str | Source | None, file: str | Path | None, environment: Environment) -> "Token":
        """What a program gave, or else PDP_TOKEN, or else PDP_TOKEN_FILE. `ValueError` says what cannot be used."""
        if token is not None and file is not None:
            raise ValueError("give token or token_file, not both")
        if token is None and file is None:
            token, file = environment.token or None, environment.token_file or None
        if callable(token):
            return cls(token, renews=True)
        if token is not None or file is None:
            checked(token or "")
            return cls(lambda: token or "", renews=False)
        read(file)
        return cls(partial(read, file), renews=True)

    @property
    def metadata(self) -> Metadata:
        """The metadata of the next call. Raises `CallError` if the source has no token that could be sent."""
        try:
            token = checked(self._source())
        except ValueError as error:
            raise CallError("UNAUTHENTICATED", "TOKEN_UNAVAILABLE", str(error)) from None
        return (("authorization", f"Bearer {token}"),) if token else ()

    async def is_renewed(self, used: Metadata) -> bool:
        """Whether another token than the `used` one is there, now or in a moment."""
        for _ in range(int(RENEWAL_SECONDS / PAUSE_SECONDS) if self.renews else 1):
            if self.metadata != used:
                return True
            await asyncio.sleep(PAUSE_SECONDS if self.renews else 0)
        return False


def read(file: str | Path) -> str:
    """The token in a file, without blanks around it. Raises `ValueError`."""
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the token file {str(file)!r} cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES or not content.strip():
        raise ValueError(f"the token file {str(file)!r} holds no token")
    return content.decode(errors="replace").strip()


def checked(token: str) -> str:
    """A token that can be sent. Raises `ValueError`, which does not quote it."""
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise ValueError("a token has only printable ASCII characters; was something else copied with it?")
    return token
