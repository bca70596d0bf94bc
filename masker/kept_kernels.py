"""Compiled kernels, kept in a folder so that the user's next process need not compile them.

What is kept is machine code, so it must be this user's (`OwnFolder`), and it must fit: the folder's name is a digest of
all sources of kernels, of the versions and of the compiler's settings, and a file's name is one of the types of a
kernel's arguments and of the processor. numba's own cache looks at a kernel's file only, not at what is inlined from
others, and takes a damaged file for code.
"""

import hashlib
import pickle
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from masker import kernels
from masker.own_folder import OwnFolder

FOLDERS = 8
"""Folders of kernels that are kept beside one another, as of several versions. A new one replaces the oldest."""
_PREFIX = "kernels-"
_HARMLESS = re.compile("THREAD|CACHE|CUDA|COLOR")
"""Settings that do not change the code."""


def keep_kernels(folder: Path) -> None:
    """From here on, take compiled kernels from below `folder`, and keep there what is compiled.

    Without a folder there that is this user's alone, or without the sources of the kernels, nothing is kept.
    """
    if not kernels.LOADED or config.DISABLE_JIT:  # type: ignore[attr-defined]
        return
    path = folder / f"{_PREFIX}{_digest(kernels.LOADED, _versions(), _settings())}"
    if not path.exists():
        _forget_oldest(folder)
    KeptKernel.folder = OwnFolder.at(path)


class KeptKernel:
    """What a dispatcher of numba asks before it compiles, and tells afterwards. It stands where numba's cache would."""

    folder: OwnFolder | None = None
    cache_path = None

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the kernel for these types of arguments, or None."""
        if self.folder is None:
            return None
        target.refresh()
        held = self.folder.read(self._file(signature, target.codegen()))
        return None if held is None else CompileResult._rebuild(target, *pickle.loads(held))  # type: ignore[no-untyped-call]  # noqa: S301, SLF001

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep what was compiled, unless it holds addresses, or the sources are no longer those of this process."""
        if self.folder is None or made.library.has_dynamic_globals or kernels.sources() != kernels.LOADED:
            return
        self.folder.write(self._file(signature, made.codegen), dumps(made._reduce()))  # type: ignore[no-untyped-call]  # noqa: SLF001

    def _file(self, signature: Any, code: Any) -> str:
        return f"{self._name}-{_digest(signature, code.magic_tuple())}"


def _versions() -> list[str]:
    return [sys.version, sys.implementation.cache_tag or "", numba.__version__, llvmlite.__version__, np.__version__]


def _settings() -> list[tuple[str, str]]:
    """The settings of numba, which come from the environment, and which its own cache does not look at."""
    found = vars(config).items()
    return sorted((name, str(value)) for name, value in found if name.isupper() and not _HARMLESS.search(name))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _forget_oldest(folder: Path) -> None:
    """Make room for one more folder of kernels."""
    kept = sorted(folder.glob(f"{_PREFIX}*"), key=lambda each: each.lstat().st_mtime)
    for old in kept[: max(0, len(kept) + 1 - FOLDERS)]:
        shutil.rmtree(old, ignore_errors=True)
