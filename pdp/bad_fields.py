"""Gathers the bad fields of one request, so that its sender hears of all of them at once."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, cast

import orjson

from pdp.errors import InvalidRequest

MAX_NAMED = 20
"""Bad fields that an error names: a limit of the contract. What comes behind them is not looked at."""
MAX_SHOWN_KEY = 64
"""Characters of a key in a path: an error's details travel in HTTP trailers, of which clients accept 8 KiB."""
MAX_SHOWN_CHARACTERS = 300
"""Characters of a sentence or a path in an error, for the same reason."""
_FRAME_BYTES = 12
"""Bytes that a pair of path and description takes beside its texts, at most."""

_Given = ParamSpec("_Given")
_Value = TypeVar("_Value")


class BadFields:
    """A block that tries one check after the other. At its end it raises one `InvalidRequest` for all that failed."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None and self.found:
            raise InvalidRequest.fields(self.found[:MAX_NAMED])

    def tried(self, check: Callable[_Given, _Value], *given: _Given.args, **named: _Given.kwargs) -> _Value:
        """What `check` returns. Where it refuses a field, that is kept, and what is returned must not be used."""
        try:
            return check(*given, **named)
        except InvalidRequest as error:
            return cast("_Value", self._keep(error))

    async def awaited(self, check: Awaitable[_Value]) -> _Value:
        """The same of a check that takes time."""
        try:
            return await check
        except InvalidRequest as error:
            return cast("_Value", self._keep(error))

    def _keep(self, error: InvalidRequest) -> None:
        if error.reason != InvalidRequest.reason or not error.violations:
            raise error
        self.found += error.violations


class Refused(Exception):
    """Values break a limit. Each level of a walk adds its step to their paths on the way out."""

    def __init__(self, description: str, *, is_last: bool = False) -> None:
        """`is_last` says that no value after it can be good, so that the walk ends here."""
        super().__init__(description)
        self.fields, self._is_last = [("", description)], is_last

    def within(self, step: str) -> Self:
        """The same, seen from one level further out."""
        self.fields = [(joined(step, path), description) for path, description in self.fields]
        return self

    def behind(self, before: Self | None) -> Self:
        """With what was found before in the same walk; raised at once where that is enough."""
        if before is not None:
            self.fields = before.fields + self.fields
        if self._is_last or len(self.fields) >= MAX_NAMED:
            raise self
        return self


def shown(violations: Iterable[tuple[str, str]], room: int) -> Iterator[tuple[str, str]]:
    """The first violations, cut, as many as fit into `room` bytes of an error."""
    for path, description in violations:
        pair = cut(path), cut(description)
        room -= len("".join(pair).encode()) + _FRAME_BYTES
        if room < 0:
            return
        yield pair


def cut(text: str) -> str:
    """A text in an error, of at most 300 characters."""
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"


def step(key: str) -> str:
    """A key as a step of a path: `tags`, or `["two words"]`."""
    if len(key) > MAX_SHOWN_KEY:
        key = key[:MAX_SHOWN_KEY] + "…"
    if key.isidentifier():
        return key
    return f"[{orjson.dumps(key.encode(errors='backslashreplace').decode()).decode()}]"


def joined(path: str, step: str) -> str:
    """A path and a step behind it."""
    return path + ("." if path and step and not step.startswith("[") else "") + step
