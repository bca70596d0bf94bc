"""Kernels: flat loops over buffers that numba compiles at first use.

Checks and allocation happen before a kernel; its outputs start zeroed. To plan, to read schemas and to stream call
no kernel, so that numba is loaded with the first one that runs, and only what runs is compiled.
"""

import hashlib
import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_MAKING = threading.RLock()


class Kernel:
    """What stands for a function until it is called: `make` gives what numba made of it, once."""

    def __init__(self, make: Callable[[], Callable[..., Any]]) -> None:
        self._make = make
        self._made: Callable[..., Any] | None = None

    @property
    def made(self) -> Callable[..., Any]:
        """What numba made of the function; without the compiler, the function."""
        if self._made is None:
            with _MAKING:
                self._made = self._made or self._make()
        return self._made

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.made(*arguments)


def kernel(function: F) -> F:
    """Compile at the first call."""
    return Kernel(lambda: _compiler().kernel(function))  # type: ignore[return-value]


def device(function: F) -> F:
    """Compile a piece that only kernels call. It is always inlined; by itself the compiler would not always do that."""
    return Kernel(lambda: _compiler().device(function))  # type: ignore[return-value]


def instruction(name: str) -> Any:
    """Take a piece that only kernels call from `masker.kernels.instructions`."""

    def found() -> Any:
        piece = getattr(importlib.import_module("masker.kernels.instructions"), name)
        return piece.made if isinstance(piece, Kernel) else piece

    return Kernel(found)


def sources() -> bytes:
    """The digest of all sources of kernels, or nothing where there are none."""
    digest = hashlib.sha256()
    files = sorted(Path(__file__).parent.glob("*.py"))
    for file in files:
        digest.update(hashlib.sha256(file.name.encode() + b"\0" + file.read_bytes()).digest())
    return digest.digest() if files else b""


def _compiler() -> Any:
    return importlib.import_module("masker.kernels.compiler")


LOADED = sources()
"""The sources as this process loads them. Somebody may install others while it runs."""
