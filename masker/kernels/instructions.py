"""What kernels do that NumPy has no operation for, as instructions of LLVM, and their twins in Python.

The twins stand in without the compiler, and where every index is checked. `word` and `vector` say what each is for.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic
from numba.np.arrayobj import load_item, make_array, store_item

from masker.kernels import device
from masker.kernels.word import U

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


if config.DISABLE_JIT or config.BOUNDSCHECK:  # type: ignore[attr-defined]  # numba sets them from the environment

    @device
    def get(data: Any, start: Any, k: Any) -> Any:
        """Return data[start + k]."""
        return data[start + k]

    @device
    def put(data: Any, start: Any, k: Any, value: Any) -> None:
        """Set data[start + k]."""
        data[start + k] = value

    @device
    def get_pair(data: Any, start: Any, k: Any) -> Any:
        """Return both words of data[start + k]."""
        return data[start + k, 0], data[start + k, 1]

    @device
    def put_pair(data: Any, start: Any, k: Any, one: Any, two: Any) -> None:
        """Set both words of data[start + k]."""
        data[start + k, 0] = one
        data[start + k, 1] = two

    @device
    def least(a: Any, b: Any) -> Any:
        """Return the lesser of two words."""
        return a if a < b else b

else:

    def _address(target: Any, builder: Any, signature: Any, arguments: Any) -> Callable[[int], Any]:
        """Return what gives the address of the nth word of element k."""
        first = make_array(signature.args[0])(target, builder, arguments[0]).data  # type: ignore[no-untyped-call]
        start, k = (target.cast(builder, arguments[n], signature.args[n], types.intp) for n in (1, 2))
        width = signature.args[0].ndim

        def word(number: int) -> Any:
            place = first
            for index, offset in ((start, 0), (k, number)):
                scaled = builder.mul(index, ir.Constant(_WORD, width), flags=["nsw", "nuw"])
                scaled = builder.add(scaled, ir.Constant(_WORD, offset), flags=["nsw", "nuw"])
                place = builder.gep(place, [scaled], inbounds=True)
            return place

        return word

    @intrinsic
    def get(_context: Any, data: Any, start: Any, k: Any) -> Any:
        """Return data[start + k]."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _address(target, builder, signature, arguments)(0)
            return load_item(target, builder, data, place)  # type: ignore[no-untyped-call]

        return data.dtype(data, start, k), generate

    @intrinsic
    def put(_context: Any, data: Any, start: Any, k: Any, _value: Any) -> Any:
        """Set data[start + k]."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _address(target, builder, signature, arguments)(0)
            store_item(target, builder, data, arguments[3], place)  # type: ignore[no-untyped-call]
            return target.get_dummy_value()

        return types.void(data, start, k, data.dtype), generate

    @intrinsic
    def get_pair(_context: Any, data: Any, start: Any, k: Any) -> Any:
        """Return both words of data[start + k]."""
        both = types.UniTuple(types.uint64, 2)  # type: ignore[no-untyped-call]

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = _address(target, builder, signature, arguments)
            return target.make_tuple(builder, both, [builder.load(word(number)) for number in (0, 1)])

        return both(data, start, k), generate

    @intrinsic
    def put_pair(_context: Any, data: Any, start: Any, k: Any, _one: Any, _two: Any) -> Any:
        """Set both words of data[start + k]."""

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = _address(target, builder, signature, arguments)
            for number in (0, 1):
                builder.store(arguments[3 + number], word(number))
            return target.get_dummy_value()

        return types.void(data, start, k, types.uint64, types.uint64), generate

    @intrinsic
    def least(_context: Any, _a: Any, _b: Any) -> Any:
        """Return the lesser of two words, without a branch that guesses."""

        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.select(builder.icmp_unsigned("<", *arguments), *arguments)

        return types.uint64(types.uint64, types.uint64), generate
