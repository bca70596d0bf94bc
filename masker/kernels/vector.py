"""Elements of arrays in loops that LLVM is to turn into vector instructions.

NumPy's indices may be negative and wrap, which hides from LLVM that neighbouring rounds of a loop touch neighbouring
memory. Here elements are read and written at start + k. Neither is negative, and `k` is the loop's own counter.
"""

from typing import Any

from masker.kernels import device, instruction
from masker.kernels.word import U

get = instruction("get")
"""(data, start, k): data[start + k]."""
put = instruction("put")
"""(data, start, k, value): set data[start + k]."""
get_pair = instruction("get_pair")
"""(data, start, k): both words of data[start + k]."""
put_pair = instruction("put_pair")
"""(data, start, k, one, two): set both words of data[start + k]."""
least = instruction("least")
"""(a, b): the lesser of two words, without a branch that guesses."""


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
