"""What numba makes of kernels, with every flag in one place."""

import types
from collections.abc import Callable
from functools import wraps
from typing import Any

import numba
import numpy as np
from numba.core import config

from masker.kept_kernels import KeptKernel
from masker.kernels import Kernel


def kernel(function: Callable[..., Any]) -> Any:
    """Return the dispatcher of a kernel.

    1. nogil: threads run over chunks, outside.
    2. Never parallel: several threads abort on numba's workqueue layer.
    3. Without numba's cache, which does not see what a kernel inlines. `keep_kernels` gives all of them another.
    4. Without C wrappers, division checks (the divisors of kernels are never zero) and reference counts (kernels do not
       allocate), as each takes time to compile.
    """
    compiled = _compiled(function, no_cfunc_wrapper=True)
    if not config.DISABLE_JIT:  # type: ignore[attr-defined]  # numba sets it from the environment
        compiled._cache = KeptKernel(function)  # noqa: SLF001
    return compiled


def device(function: Callable[..., Any]) -> Any:
    """Return the dispatcher of a piece that only kernels call."""
    return _compiled(function, no_cfunc_wrapper=True, no_cpython_wrapper=True, forceinline=True)


def _compiled(function: Callable[..., Any], **wrappers: Any) -> Any:
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return _plain(function)
    flags: dict[str, Any] = {"nogil": True, "cache": False, "error_model": "numpy", "_nrt": False}
    return numba.njit(**flags, **wrappers)(_linked(function))


def _linked(function: Any) -> Any:
    """Return the function with what numba made of the pieces that it names, in place of what stands for them."""
    names, known = function.__code__.co_names, function.__globals__
    pieces = {name: _piece(known[name], names) for name in names if name in known}
    linked = types.FunctionType(function.__code__, known | pieces, function.__name__, function.__defaults__)
    for name in ("__module__", "__qualname__", "__doc__", "__annotations__", "__kwdefaults__"):
        setattr(linked, name, getattr(function, name))
    return linked


def _piece(value: Any, names: tuple[str, ...]) -> Any:
    """What numba made of a kernel, a module with that of its kernels that are named, and all else as it is."""
    if isinstance(value, Kernel):
        return value.made
    if not isinstance(value, types.ModuleType) or not value.__name__.startswith("masker.kernels."):
        return value
    linked = types.ModuleType(value.__name__)
    vars(linked).update({name: _piece(each, ()) for name, each in vars(value).items() if name in names})
    return linked


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Without the compiler NumPy scalars warn where machine words wrap, as they must."""

    @wraps(function)
    def wrapped(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):
            return function(*arguments)

    return wrapped
