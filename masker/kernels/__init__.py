"""Kernels: flat loops over buffers that numba compiles at first use.

Checks and allocation happen before a kernel; its outputs start zeroed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import config

from masker.kept_kernels import KeptKernel

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile at the first call, with every flag in one place.

    1. nogil: threads run over chunks, outside.
    2. Never parallel: several threads abort on numba's workqueue layer.
    3. Without numba's cache, which does not see what a kernel inlines. `keep_kernels` gives all of them another.
    4. Without C wrappers, division checks (the divisors of kernels are never zero) and reference counts (kernels do not
       allocate), as each takes time to compile.
    """
    compiled = _compiled(function, no_cfunc_wrapper=True)
    if not config.DISABLE_JIT:  # type: ignore[attr-defined]  # numba sets it from the environment
        compiled._cache = KeptKernel(function)  # type: ignore[attr-defined]  # noqa: SLF001
    return compiled


def device(function: F) -> F:
    """Compile a piece that only kernels call. It is always inlined; by itself the compiler would not always do that."""
    return _compiled(function, no_cfunc_wrapper=True, no_cpython_wrapper=True, forceinline=True)


def _compiled(function: F, **wrappers: Any) -> F:
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return _plain(function)
    flags: dict[str, Any] = {"nogil": True, "cache": False, "error_model": "numpy", "_nrt": False}
    compiled: F = numba.njit(**flags, **wrappers)(function)
    return compiled


def _plain(function: F) -> F:
    """Without the compiler NumPy scalars warn where machine words wrap, as they must."""

    @wraps(function)
    def wrapped(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):
            return function(*arguments)

    return wrapped  # type: ignore[return-value]
