"""Arrow arrays of one column as flat NumPy buffers, and back.

1. Slices, offsets and validity bitmaps are resolved here; the arrays that kernels get count their values from 0.
2. An array that goes back is newly built, so it has no byte from under a null, from outside a slice, or from an unused
   entry of a dictionary.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from masker.arrow.schema import machine_type
from masker.kernels.column import Fixed, Flags, Text, compact, text_from
from masker.kernels.number import numerals, plain

_TEXT = (types.is_string, types.is_large_string, types.is_string_view)
_BINARY = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)

_VIEW_BYTES = 16
"""A view is the length of its text, and the text or where it stands."""


def flags(array: Any) -> Flags:
    """Return a flag for each value, False for null."""
    bitmap = array.buffers()[0] if not types.is_null(array.type) else None
    if types.is_null(array.type):
        return np.zeros(len(array), np.bool_)
    if bitmap is None or array.null_count == 0:
        return np.ones(len(array), np.bool_)
    return bits(bitmap, array.offset, len(array))


def bits(bitmap: Any, offset: int, count: int) -> Flags:
    """Unpack `count` bits from `offset`."""
    first = offset // 8
    packed = np.frombuffer(bitmap, np.uint8)[first : (offset + count + 7) // 8]
    return np.unpackbits(packed, bitorder="little")[offset - 8 * first :][:count].view(np.bool_)


def numbers(buffer: Any, dtype: Any, start: int, count: int) -> NDArray[Any]:
    """Read `count` numbers from number `start`. Raises ValueError where the buffer is shorter."""
    size = np.dtype(dtype).itemsize
    if buffer is None or (start + count) * size > buffer.size:
        raise ValueError("a buffer is shorter than its array")
    return np.frombuffer(buffer, dtype, count, start * size)  # without a count, no odd byte may follow


def text(array: Any) -> Text:
    """Return text or binary as bytes, integers and decimals as their shortest plain text."""
    data_type = array.type
    if types.is_decimal(data_type):
        return text_from([None if value is None else plain(value).encode() for value in array.to_pylist()])
    if types.is_integer(data_type):
        return numerals(fixed(array))
    array = array.cast(pa.large_binary()) if types.is_fixed_size_binary(data_type) else written_out(array)
    wide = types.is_large_string(array.type) or types.is_large_binary(array.type)
    _, ends, data = array.buffers()
    if len(array) == 0 or ends is None:
        return Text(np.zeros(0, np.uint8), np.zeros(len(array) + 1, np.int64), flags(array))
    offsets = numbers(ends, np.int64 if wide else np.int32, array.offset, len(array) + 1)
    values = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return Text(values, offsets.astype(np.int64), flags(array))


def written_out(array: Any) -> Any:
    """Return views as large text or binary, every other array as it is.

    pyarrow's own cast also follows what stands under a null, which may be anything, as its validation does not.
    """
    text = types.is_string_view(array.type)
    if not text and not types.is_binary_view(array.type):
        return array
    _, views, *data = array.buffers()
    count, valid = len(array), flags(array)
    cells = np.frombuffer(views or b"", np.uint8)[array.offset * _VIEW_BYTES : (array.offset + count) * _VIEW_BYTES]
    kept = np.where(valid[:, None], cells.reshape(count, _VIEW_BYTES), np.uint8(0))
    safe = pa.Array.from_buffers(array.type, count, [bitmap(valid), pa.py_buffer(kept), *data])
    return safe.cast(pa.large_string() if text else pa.large_binary())


def fixed(array: Any) -> Fixed:
    """Return machine numbers: dates and timestamps are counts of their unit, a bool is a byte."""
    buffer, size = array.buffers()[1], len(array)
    if types.is_boolean(array.type):
        return Fixed(bits(buffer, array.offset, size) if size else np.zeros(0, np.bool_), flags(array))
    dtype = machine_type(array.type)
    if size == 0:
        return Fixed(np.zeros(0, dtype), flags(array))
    return Fixed(numbers(buffer, dtype, array.offset, size), flags(array))


def from_text(values: Text, data_type: Any) -> Any:
    """Build a text or binary array; raises OverflowError above 2^31 bytes where offsets are 32 bits."""
    narrow = types.is_string(data_type) or types.is_binary(data_type)
    base = data_type if narrow else pa.large_string() if kind_is_text(data_type) else pa.large_binary()
    if narrow and values.offsets[-1] >= 1 << 31:
        raise OverflowError("more than 2 GiB in one array of 32-bit offsets")
    offsets = values.offsets.astype(np.int32) if narrow else values.offsets
    data = values.data[: values.offsets[-1]]
    array = pa.Array.from_buffers(base, len(values), [bitmap(values.valid), pa.py_buffer(offsets), pa.py_buffer(data)])
    return array if base == data_type else array.cast(data_type)


def from_fixed(values: Fixed, data_type: Any) -> Any:
    """Build an array of machine numbers, with zero under every null."""
    kept = np.where(values.valid, values.values, np.zeros(1, values.values.dtype))
    if types.is_boolean(data_type):
        data: NDArray[Any] = np.packbits(kept, bitorder="little")
    else:
        data = np.ascontiguousarray(kept.astype(machine_type(data_type), copy=False))
    return pa.Array.from_buffers(data_type, len(values), [bitmap(values.valid), pa.py_buffer(data)])


def bitmap(valid: Flags) -> Any:
    """Pack flags; None where all are True."""
    return None if bool(valid.all()) else pa.py_buffer(np.packbits(valid, bitorder="little"))


def rebuild(array: Any, valid: Flags) -> Any:
    """Copy a leaf array value by value; a value that is not valid becomes null."""
    data_type = array.type
    if types.is_null(data_type):
        return pa.nulls(len(array))
    if types.is_decimal(data_type):
        width = data_type.byte_width
        cells = np.frombuffer(array.buffers()[1], np.uint8) if len(array) else np.zeros(0, np.uint8)
        rows = cells[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
        data = np.where(valid[:, None], rows, np.uint8(0))
        return pa.Array.from_buffers(data_type, len(array), [bitmap(valid), pa.py_buffer(np.ascontiguousarray(data))])
    if kind_is_text(data_type) or is_binary(data_type):
        values = text(array)
        return from_text(compact(Text(values.data, values.offsets, valid)), data_type)
    return from_fixed(Fixed(fixed(array).values, valid), data_type)


def nulls(count: int, data_type: Any) -> Any:
    """Return an array of nulls."""
    return pa.nulls(count, data_type)


def kind_is_text(data_type: Any) -> bool:
    """Tell whether a type is text."""
    return any(test(data_type) for test in _TEXT)


def is_binary(data_type: Any) -> bool:
    """Tell whether a type is binary."""
    return any(test(data_type) for test in _BINARY)


def typed(values: Text, data_type: Any) -> Any:
    """Build text or binary, or parse text into integers or decimals; returns None where it does not parse."""
    if kind_is_text(data_type) or is_binary(data_type):
        array = from_text(values, data_type)
        return array if _valid(array) else None
    try:
        return from_text(values, pa.large_string()).cast(data_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # their text quotes the value
        return None


def from_list(values: list[Any], data_type: Any) -> Any:
    """Build an array of Python values; None is null."""
    return pa.array(values, data_type)


def _valid(array: Any) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
