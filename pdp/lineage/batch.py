"""Takes a text apart that holds several events: an array, or JSON Lines. Each event stays as it was written."""

from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder

_DECODER = JSONDecoder(strict=False)
_SPACE = " \t\r\n"


class NotEvents(ValueError):
    """The text is not a list of JSON values. It says at which character that shows."""


def events(text: bytes) -> Iterator[bytes]:
    """The texts of the events in a file: the items of one array, or values one after the other, as in JSON Lines.

    Raises `NotEvents` where neither is readable; events before that place have been given by then.
    """
    written = _decoded(text)
    at = _next(written, 0)
    yield from items(text) if written[at : at + 1] == "[" else _lines(written, at)


def items(text: bytes) -> Iterator[bytes]:
    """The texts of the items of one array. Raises `NotEvents`."""
    written = _decoded(text)
    at = _expected(written, _next(written, 0), "[")
    if written[at : at + 1] != "]":
        yield (found := _value(written, at))[0]
        while written[(at := found[1]) : at + 1] == ",":
            yield (found := _value(written, _next(written, at + 1)))[0]
    if _expected(written, at, "]") < len(written):
        raise NotEvents(f"there is more behind the array, at character {at + 1}")


def _lines(written: str, at: int) -> Iterator[bytes]:
    while at < len(written):
        event, at = _value(written, at)
        yield event


def _value(written: str, at: int) -> tuple[bytes, int]:
    """The value that begins here, and where the next thing begins."""
    try:
        _, end = _DECODER.raw_decode(written, at)
    except (JSONDecodeError, RecursionError):
        raise NotEvents(f"what begins at character {at + 1} is not JSON, or nested too deep") from None
    return written[at:end].encode(), _next(written, end)


def _expected(written: str, at: int, sign: str) -> int:
    if written[at : at + 1] != sign:
        raise NotEvents(f"there is no `{sign}` at character {at + 1}")
    return _next(written, at + 1)


def _next(written: str, at: int) -> int:
    """The first place from `at` on that is not white space."""
    while written[at : at + 1] in _SPACE and at < len(written):
        at += 1
    return at


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotEvents(f"byte {error.start + 1} is not UTF-8") from None
