"""Takes a text apart that holds several events: an array, or JSON Lines. Each event stays as it was written.

The text may come in parts, and is let go as it is read: what is held is one event, of `MAX_CHARACTERS` at most.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from json import JSONDecodeError, JSONDecoder

MAX_CHARACTERS = 4 * 1024 * 1024
"""Characters of one event: no event with more can be sent, for each has a byte at least."""
PART = 64 * 1024
"""Characters that are read in one go, while an event is small."""
_DECODER = JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]+")


class NotEvents(ValueError):
    """The text is not a list of JSON values. It says at which character that shows."""


def events(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The texts of the events in a file: the items of one array, or values one after the other, as in JSON Lines.

    Raises `NotEvents` where neither is readable; events before that place have been given by then.
    """
    text = _Text(parts)
    text.skip()
    yield from _items(text) if text.has("[") else _lines(text)


def items(text: bytes) -> Iterator[bytes]:
    """The texts of the items of one array. Raises `NotEvents`."""
    return _items(_Text([text]))


class _Text:
    """A text, and how far it was read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._held, self._at, self._let_go, self._decoded = "", 0, 0, 0
        self._is_whole = False

    def skip(self) -> None:
        """Go to the next thing that is not white space."""
        while True:
            if space := _SPACE.match(self._held, self._at):
                self._at = space.end()
            if self._at < len(self._held) or not self._grow():
                return

    def has(self, sign: str) -> bool:
        """Whether this sign is next."""
        return self._held[self._at : self._at + 1] == sign

    def take(self, sign: str) -> None:
        """Go behind this sign, and the space after it. Raises `NotEvents`."""
        if not self.has(sign):
            raise NotEvents(f"there is no `{sign}` at {self.place}")
        self._at += 1
        self.skip()

    def value(self) -> bytes:
        """The value that begins here. Raises `NotEvents`."""
        while (end := self._end()) is None or end == len(self._held):
            if not self._grow():
                break
        if end is None or end - self._at > MAX_CHARACTERS:
            raise NotEvents(f"what begins at {self.place} is not JSON, nested too deep, or more than an event may be")
        found, self._at = self._held[self._at : end].encode(), end
        self.skip()
        return found

    @property
    def place(self) -> str:
        """Where the next thing is."""
        return f"character {self._let_go + self._at + 1}"

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._held) and not self._grow()

    def _end(self) -> int | None:
        try:
            return _DECODER.raw_decode(self._held, self._at)[1]
        except (JSONDecodeError, RecursionError):
            return None

    def _grow(self) -> bool:
        """Hold twice as much, and let go what was read. False where there is no more, or more than an event may be."""
        self._held, self._at, self._let_go = self._held[self._at :], 0, self._let_go + self._at
        if self._is_whole or len(self._held) > MAX_CHARACTERS:
            return False
        more, wanted = [self._held], max(PART, len(self._held))
        while wanted > 0 and not self._is_whole:
            more.append(self._next())
            wanted -= len(more[-1])
        self._held = "".join(more)
        return len(self._held) > len(more[0])

    def _next(self) -> str:
        part = next(self._parts, None)
        pending = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(part or b"", final=part is None)
        except UnicodeDecodeError as error:
            raise NotEvents(f"byte {self._decoded - pending + error.start + 1} is not UTF-8") from None
        self._decoded += len(part or b"")
        self._is_whole = part is None
        return text


def _items(text: _Text) -> Iterator[bytes]:
    text.skip()
    text.take("[")
    if not text.has("]"):
        yield text.value()
        while text.has(","):
            text.take(",")
            yield text.value()
    text.take("]")
    if not text.is_over:
        raise NotEvents(f"there is more behind the array, at {text.place}")


def _lines(text: _Text) -> Iterator[bytes]:
    while not text.is_over:
        yield text.value()
