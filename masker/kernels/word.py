"""64-bit words: unaligned loads, byte order, high products.

A word in memory order has the first byte lowest, as a little-endian load gives it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from masker.kernels import device

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
U = np.uint64
ALL = U(0xFFFFFFFFFFFFFFFF)
LEAST = 8  # bytes that a buffer of values has at least

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
            return builder.lshr(bits, ir.Constant(ir.IntType(64), 3))

        return types.int64(types.uint64), generate

    @intrinsic
    def mulhi(_context: Any, _a: Any, _b: Any) -> Any:
        """Return the high 64 bits of the 128-bit product; NumPy has no such operation."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            wide = ir.IntType(128)
            product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
            return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

        return types.uint64(types.uint64, types.uint64), generate

    @intrinsic
    def swap(_context: Any, _x: Any) -> Any:
        """Reverse the bytes of a word, in one instruction."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.bswap(arguments[0])

        return types.uint64(types.uint64), generate


@device
def load(data: Any, p: Any) -> Any:
    """Load 8 bytes in memory order; with an unsigned index LLVM makes it one instruction."""
    p = U(p)
    return (
        U(data[p])
        | U(data[p + U(1)]) << U(8)
        | U(data[p + U(2)]) << U(16)
        | U(data[p + U(3)]) << U(24)
        | U(data[p + U(4)]) << U(32)
        | U(data[p + U(5)]) << U(40)
        | U(data[p + U(6)]) << U(48)
        | U(data[p + U(7)]) << U(56)
    )


@device
def load_part(data: Any, p: Any, count: Any) -> Any:
    """Load `count` bytes (at most 8, none if negative), zeros above; never reads past a buffer of LEAST.

    Without a branch: around branches numba would count references to `data`.
    """
    start = min(p, data.size - 8)
    size = max(0, min(count, 8))
    mask = ALL >> U((64 - 8 * size) & 63)
    return (load(data, start) >> U((8 * (p - start)) & 63)) & (mask if size > 0 else U(0))


@device
def store(data: Any, p: Any, word: Any) -> None:
    """Store 8 bytes in memory order."""
    p = U(p)
    data[p] = np.uint8(word & U(255))
    data[p + U(1)] = np.uint8((word >> U(8)) & U(255))
    data[p + U(2)] = np.uint8((word >> U(16)) & U(255))
    data[p + U(3)] = np.uint8((word >> U(24)) & U(255))
    data[p + U(4)] = np.uint8((word >> U(32)) & U(255))
    data[p + U(5)] = np.uint8((word >> U(40)) & U(255))
    data[p + U(6)] = np.uint8((word >> U(48)) & U(255))
    data[p + U(7)] = np.uint8(word >> U(56))


@device
def reduce(x: Any, modulus: Any, inverse: Any) -> Any:
    """Return x mod modulus with inverse = floor(2^64 / modulus) (Barrett, off by at most one)."""
    x -= mulhi(x, inverse) * modulus
    return x - modulus if x >= modulus else x
