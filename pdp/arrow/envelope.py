"""Reads and writes the protobuf envelope of a stream's Arrow message by hand: protobuf would copy every megabyte twice.

1. All requests and answers of MaskStream and Rewrap have the Arrow message in the same field.
2. Only an envelope that holds this one field, in its shortest encoding, is handled here. Protobuf handles all others.

The encoding is https://protobuf.dev/programming-guides/encoding.
"""

from typing import Any

FIELD = "arrow_message"
_NUMBER = 2
"""The number of that field in the contract."""
_TAG = _NUMBER << 3 | 2
"""The field's tag: its number and wire type 2, which is a length and bytes."""
_MAX_LENGTH_BYTES = 4
"""Bytes of an encoded length. Four hold 28 bits, which is more than any message may have."""


def has_frames(message: Any) -> bool:
    """Whether a message with this descriptor can be such an envelope."""
    field = message.fields_by_name.get(FIELD)
    return field is not None and field.number == _NUMBER and field.type == field.TYPE_BYTES


def unwrap(body: bytes) -> memoryview | None:
    """The Arrow message in an envelope that holds nothing else, without a copy. None for any other message."""
    if not body or body[0] != _TAG:
        return None
    length = 0
    for place, byte in enumerate(body[1 : 1 + _MAX_LENGTH_BYTES]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number has no high bit
            is_shortest = place == 0 or byte != 0
            return memoryview(body)[2 + place :] if is_shortest and len(body) == 2 + place + length else None
    return None


def wrap(message: Any) -> bytes:
    """The envelope around `message`, which is any object with a buffer."""
    header, length = bytearray((_TAG,)), len(message)
    while length >= 0x80:  # noqa: PLR2004  # seven bits a byte
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return b"".join((header, message))
