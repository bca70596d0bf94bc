"""Reads three facts of an Arrow IPC message that pyarrow does not tell before it acts on them.

1. A FlatBuffer consists of offsets. A table begins with the distance back to its vtable; the vtable has for each field
   its place in the table, or 0 (https://flatbuffers.dev/internals).
2. The fields of a Message are version, header_type, header, bodyLength; of a RecordBatch length, nodes, buffers,
   compression; of a DictionaryBatch id, data, isDelta (https://github.com/apache/arrow/blob/main/format).
"""

from pdp.errors import InvalidRequest

_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
"""Fields of a Message, by their place in its vtable."""
_DATA, _IS_DELTA, _COMPRESSION = 1, 2, 3
"""Fields of a DictionaryBatch (two) and of a RecordBatch, by their place in the vtable."""
_DICTIONARY_BATCH = 2
"""The `header_type` of a DictionaryBatch."""
_VTABLE_HEADER_BYTES = 4
"""A vtable begins with its own size and that of its table, 2 bytes each."""


def is_compressed(metadata: bytes) -> bool:
    """Whether the body of a record batch, or of the record batch in a dictionary batch, is compressed."""
    message = _u32(metadata, 0)
    header_type = _field(metadata, message, _HEADER_TYPE)
    header = _field(metadata, message, _HEADER)
    if not header or not header_type:
        return False
    batch = header + _u32(metadata, header)
    if metadata[header_type] == _DICTIONARY_BATCH:
        data = _field(metadata, batch, _DATA)
        if not data:
            return False
        batch = data + _u32(metadata, data)
    return bool(_field(metadata, batch, _COMPRESSION))


def is_delta(metadata: bytes) -> bool:
    """Whether this is a dictionary batch that adds to the dictionary before it."""
    message = _u32(metadata, 0)
    header_type = _field(metadata, message, _HEADER_TYPE)
    header = _field(metadata, message, _HEADER)
    if not header or not header_type or metadata[header_type] != _DICTIONARY_BATCH:
        return False
    place = _field(metadata, header + _u32(metadata, header), _IS_DELTA)
    return bool(place) and metadata[place : place + 1] != b"\0"


def body_bytes(metadata: bytes) -> int:
    """The number of bytes of the body that follows the metadata."""
    place = _field(metadata, _u32(metadata, 0), _BODY_LENGTH)
    return _number(metadata, place, 8) if place else 0


def _field(data: bytes, table: int, field: int) -> int:
    """The place of a table's field; 0 if the field has its default."""
    vtable = table - _number(data, table, 4)
    slot = _VTABLE_HEADER_BYTES + 2 * field
    if slot + 2 > _number(data, vtable, 2):
        return 0
    offset = _number(data, vtable + slot, 2)
    return table + offset if offset else 0


def _u32(data: bytes, place: int) -> int:
    return _number(data, place, 4)


def _number(data: bytes, place: int, size: int) -> int:
    """A little-endian integer. It is signed, unless it has 2 bytes: those are unsigned offsets in a vtable."""
    if not 0 <= place <= len(data) - size:
        raise InvalidRequest("an Arrow message points outside itself")
    return int.from_bytes(data[place : place + size], "little", signed=size != 2)  # noqa: PLR2004  # vtables are unsigned
