"""The envelope of a stream's Arrow message by hand: protobuf would copy every megabyte twice on its way through.

Only that one message, in the one shortest form; all else is protobuf's to judge. The requests and answers of MaskStream
and Rewrap have the message as the same field (https://protobuf.dev/programming-guides/encoding).
"""

from typing import Any

FIELD = "arrow_message"
_NUMBER = 2
_TAG = _NUMBER << 3 | 2
_MAX_LENGTH_BYTES = 4
"""A length of 28 bits is beyond every message that there may be."""


def has_frames(message: Any) -> bool:
    """Whether messages of this descriptor may be such envelopes."""
    field = message.fields_by_name.get(FIELD)
    return field is not None and field.number == _NUMBER and field.type == field.TYPE_BYTES


def opened(body: bytes) -> memoryview | None:
    """The Arrow message in an envelope that holds nothing else, not copied; None for any other message."""
    if not body or body[0] != _TAG:
        return None
    length = 0
    for place, byte in enumerate(body[1 : 1 + _MAX_LENGTH_BYTES]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number has no high bit
            is_shortest = place == 0 or byte != 0
            return memoryview(body)[2 + place :] if is_shortest and len(body) == 2 + place + length else None
    return None


def closed(message: Any) -> bytes:
    """The envelope around `message`, anything with a buffer."""
    header, length = bytearray((_TAG,)), len(message)
    while length >= 0x80:  # noqa: PLR2004  # seven bits a byte
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return b"".join((header, message))
