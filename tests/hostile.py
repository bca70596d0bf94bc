"""Arrow that somebody broke on purpose: one batch of each type, and every word of its messages set to what hurts."""

import random
import struct
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa

from pdp.arrow import table

WORDS = (0, 1, -1, 2**31 - 1)
"""What a word of 4 or 8 bytes becomes, beside `2**62`, which only 8 bytes hold, and one more than the length."""
LONG = "a text that no view holds inside"
TEXTS = [LONG, None, "ü", ""]
TYPES: dict[str, pa.Array] = {
    "string": pa.array(TEXTS),
    "large": pa.array(TEXTS, pa.large_string()),
    "view": pa.array(TEXTS, pa.string_view()),
    "binary": pa.array([b"\xff", None, b"", b"xyz"]),
    "list": pa.array([["p", None], None, [], ["q"]]),
    "large list": pa.array([["p", None], None, [], ["q"]], pa.large_list(pa.string())),
    "fixed list": pa.array([["p", None], None, ["", "r"], ["q", "s"]], pa.list_(pa.string(), 2)),
    "list view": pa.array([["p", None], None, [], ["q"]], pa.list_view(pa.string())),
    "map": pa.array([[("k", "v")], None, [("l", None)], []], pa.map_(pa.string(), pa.string())),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "small dictionary": pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0], pa.int8()), pa.array([LONG, "b"])),
    "dictionary of views": pa.array(TEXTS, pa.string_view()).dictionary_encode(),
    "nested": pa.array([{"a": [{"b": "x"}]}, None, {"a": None}, {"a": [None, {"b": None}]}]),
    "decimal": pa.array([Decimal("1.25"), None, Decimal(-3), Decimal(0)], pa.decimal128(9, 2)),
    "bool": pa.array([True, None, False, True]),
    "null": pa.nulls(4),
    "number": pa.array([1, None, 2**62, -1]),
    "timestamp": pa.array([0, None, 2**51, -1], pa.timestamp("us", "UTC")),
}
"""Four rows of each type."""


def batch(name: str) -> pa.RecordBatch:
    """A batch of one column, `s`."""
    return pa.record_batch({"s": TYPES[name]})


def messages(made: pa.RecordBatch) -> list[bytes]:
    """The IPC messages of a batch without its schema."""
    return [bytes(message) for message in table.Writer(made.schema).messages(made)]


def broken(message: bytes, every: int = 1) -> Iterator[bytes]:
    """Of all messages with one word set to something else each `every`th."""
    size = len(message)
    for index, (width, at, value) in enumerate(_changes(size)):
        if index % every == 0:
            yield message[:at] + struct.pack("<i" if width == 4 else "<q", value) + message[at + width :]


def _changes(size: int) -> Iterator[tuple[int, int, int]]:
    for width in (4, 8):
        for at in range(0, size - width + 1, width):
            for value in (*WORDS, size + 1, *([2**62] if width == 8 else [])):
                yield width, at, value


def mutated(message: bytes, chance: random.Random) -> bytes:
    """The message with a few bytes, bits or words changed at random."""
    made = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) - 8)
        match chance.randrange(3):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at] = chance.randrange(256)
            case _:
                made[at : at + 4] = struct.pack("<i", chance.choice([*WORDS, len(made), chance.getrandbits(30)]))
    return bytes(made)
