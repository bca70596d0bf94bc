"""64-bit words: unaligned loads, byte order, high products.

A word in memory order has the first byte lowest, as a little-endian load gives it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from masker.kernels import device

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
U = np.uint64
"""Makes a number an unsigned word: an index of this type needs no check for its sign."""
ALL = U(0xFFFFFFFFFFFFFFFF)
"""A word with all bits set."""
LEAST = 8
"""Bytes that a buffer of values has at least, so that a whole word can be loaded from any of them."""
_WORD = ir.IntType(64)

if config.DISABLE_JIT:  # type: ignore[attr-defined]  # numba sets it from the environment

    def mulhi(a: Any, b: Any) -> Any:
        """Return the high 64 bits of the 128-bit product."""
        return U((int(a) * int(b)) >> 64)

    def swap(x: Any) -> Any:
        """Reverse the bytes of a word."""
        return U(int.from_bytes(int(x).to_bytes(8, "little"), "big"))

    def zero_bytes(x: Any) -> Any:
        """Count the zero bytes before the first other one in memory order, 8 for zero."""
        return (8 * 8 if x == 0 else (int(x) & -int(x)).bit_length() - 1) // 8

else:

    @intrinsic
    def zero_bytes(_context: Any, _x: Any) -> Any:
        """Count the zero bytes before the first other one in memory order, 8 for zero."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            bits = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))
            return builder.lshr(bits, ir.Constant(_WORD, 3))

        return types.int64(types.uint64), generate

    @intrinsic
    def mulhi(_context: Any, _a: Any, _b: Any) -> Any:
        """Return the high 64 bits of the 128-bit product; NumPy has no such operation."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            wide = ir.IntType(128)
            product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
            return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _WORD)

        return types.uint64(types.uint64, types.uint64), generate

    @intrinsic
    def swap(_context: Any, _x: Any) -> Any:
        """Reverse the bytes of a word, in one instruction."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.bswap(arguments[0])

        return types.uint64(types.uint64), generate


if config.DISABLE_JIT or config.BOUNDSCHECK:  # type: ignore[attr-defined]

    @device
    def load(data: Any, p: Any) -> Any:
        """Load 8 bytes in memory order."""
        word = U(0)
        for k in range(8):
            word |= U(data[p + k]) << U(8 * k)
        return word

    @device
    def store(data: Any, p: Any, word: Any) -> None:
        """Store 8 bytes in memory order."""
        for k in range(8):
            data[p + k] = np.uint8((word >> U(8 * k)) & U(255))

    @device
    def copy(data: Any, p: Any, count: Any, output: Any, q: Any) -> None:
        """Copy `count` bytes, none if negative, between buffers that do not overlap."""
        for k in range(count):
            output[q + k] = data[p + k]

else:

    @intrinsic
    def load(_context: Any, data: Any, p: Any) -> Any:
        """Load 8 bytes in memory order, in one instruction."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _place(target, builder, (signature.args, arguments), 0)
            return builder.load(builder.bitcast(place, _WORD.as_pointer()), align=1)

        return types.uint64(data, p), generate

    @intrinsic
    def store(_context: Any, data: Any, p: Any, _word: Any) -> Any:
        """Store 8 bytes in memory order, in one instruction."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _place(target, builder, (signature.args, arguments), 0)
            builder.store(arguments[2], builder.bitcast(place, _WORD.as_pointer()), align=1)
            return target.get_dummy_value()

        return types.void(data, p, types.uint64), generate

    @intrinsic
    def copy(_context: Any, data: Any, p: Any, count: Any, output: Any, q: Any) -> Any:
        """Copy `count` bytes, none if negative, between buffers that do not overlap; a loop compiles to far more."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            source = _place(target, builder, (signature.args, arguments), 0)
            place = _place(target, builder, (signature.args, arguments), 3)
            size = target.cast(builder, arguments[2], count, types.intp)
            positive = builder.icmp_signed(">", size, ir.Constant(_WORD, 0))
            cgutils.raw_memcpy(builder, place, source, builder.select(positive, size, ir.Constant(_WORD, 0)), 1)  # type: ignore[no-untyped-call]
            return target.get_dummy_value()

        return types.void(data, p, count, output, q), generate

    def _place(target: Any, builder: Any, call: Any, number: int) -> Any:
        """The address of data[p], bytes, where data is argument `number`; only NUMBA_BOUNDSCHECK's twins check it."""
        kinds, arguments = call
        start = make_array(kinds[number])(target, builder, arguments[number]).data  # type: ignore[no-untyped-call]
        index = target.cast(builder, arguments[number + 1], kinds[number + 1], types.intp)
        return cgutils.gep_inbounds(builder, start, index)  # type: ignore[no-untyped-call]


@device
def load_part(data: Any, p: Any, count: Any) -> Any:
    """Load `count` bytes (at most 8, none if negative), zeros above; never reads past a buffer of LEAST."""
    start = p if p < data.size - 8 else data.size - 8
    return front(load(data, start) >> U((8 * (p - start)) & 63), count)


@device
def front(word: Any, count: Any) -> Any:
    """Keep the first `count` bytes, all of 8 or more, none if negative."""
    return word & (ALL >> U((64 - 8 * count) & 63 if count < 8 else 0)) if count > 0 else U(0)
