"""Elements of arrays in loops that LLVM is to turn into vector instructions.

NumPy's indices may be negative and wrap, which hides from LLVM that neighbouring rounds of a loop touch neighbouring
memory. Here elements are read and written at start + k. Neither is negative, and `k` is the loop's own counter.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic
from numba.np.arrayobj import load_item, make_array, store_item

from masker.kernels import device
from masker.kernels.word import U

_INDEX = ir.IntType(64)

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
                scaled = builder.mul(index, ir.Constant(_INDEX, width), flags=["nsw", "nuw"])
                scaled = builder.add(scaled, ir.Constant(_INDEX, offset), flags=["nsw", "nuw"])
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


@device
def remainder(x: Any, modulus: Any, inverse: Any) -> Any:
    """Return x mod modulus below 2^62, with inverse = floor(2^64 / modulus).

    Barrett's quotient from 32-bit products, which vectors have; without the lowest it is too small
    by at most three.
    """
    high, low = x >> U(32), x & U(0xFFFFFFFF)
    above, below = inverse >> U(32), inverse & U(0xFFFFFFFF)
    x -= (high * above + ((high * below) >> U(32)) + ((low * above) >> U(32))) * modulus
    x = least(x, x - modulus - modulus)
    return least(x, x - modulus)
