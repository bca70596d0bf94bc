"""NUM and STR of FF1 (SP 800-38G, algorithms 1 and 3) for both halves of windows, grouped by their length.

`order` lists the values by the length of their windows; groups[n] is where the windows of n digits begin in it.
"""

from typing import Any

import numpy as np

from masker.kernels import decimals, kernel
from masker.kernels.vector import get, get_pair, put_pair
from masker.kernels.word import U, mulhi


@kernel
def halves_decimal(digits: Any, starts: Any, order: Any, groups: Any, left: Any, right: Any) -> None:
    """Return NUM of both halves of decimal windows, eight digits at a time."""
    for n in range(groups.size - 1):
        u = n // 2
        for k in range(groups[n], groups[n + 1]):
            p = starts[order[k]]
            left[k] = decimals.number(digits, p, u)
            right[k] = decimals.number(digits, p + u, n - u)


@kernel
def halves(digits: Any, starts: Any, order: Any, groups: Any, radix: Any, left: Any, right: Any) -> None:
    """Return NUM of both halves in any radix."""
    for n in range(groups.size - 1):
        u = n // 2
        for k in range(groups[n], groups[n + 1]):
            p = starts[order[k]]
            a, b = U(0), U(0)
            for j in range(u):
                a = a * radix + U(digits[p + j])
            for j in range(u, n):
                b = b * radix + U(digits[p + j])
            left[k] = a
            right[k] = b


@kernel
def spread_decimal(
    left: Any, right: Any, order: Any, groups: Any, starts: Any, first: Any, second: Any, digits: Any
) -> None:
    """Write STR of both halves of decimal windows: in vectors into the scratch `first` and `second`, then in place."""
    for n in range(groups.size - 1):
        u, start = n // 2, np.int64(groups[n])
        size = np.int64(groups[n + 1]) - start
        for k in range(size):
            one, two = decimals.sixteen(get(left, start, k))
            put_pair(first, start, k, one, two)
            one, two = decimals.sixteen(get(right, start, k))
            put_pair(second, start, k, one, two)
        for k in range(size):
            p = starts[order[start + k]]
            one, two = get_pair(first, start, k)
            decimals.write(one, two, u, digits, p)
            one, two = get_pair(second, start, k)
            decimals.write(one, two, n - u, digits, p + u)


@kernel
def spread(left: Any, right: Any, order: Any, groups: Any, starts: Any, radix: Any, inverse: Any, digits: Any) -> None:
    """Write STR of both halves in any radix; inverse = floor(2^64 / radix) + 1 gives exact quotients below 2^48."""
    for n in range(groups.size - 1):
        u = n // 2
        for k in range(groups[n], groups[n + 1]):
            p = starts[order[k]]
            a, b = left[k], right[k]
            for j in range(u):
                q = mulhi(a, inverse)
                digits[p + u - 1 - j] = a - q * radix
                a = q
            for j in range(n - u):
                q = mulhi(b, inverse)
                digits[p + n - 1 - j] = b - q * radix
                b = q
