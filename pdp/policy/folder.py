"""Walks a policy's folder: each file is read, is refused with a sentence, or has a name of other things."""

import os
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pdp.errors import SetupError
from pdp.visible import visible

SUFFIXES = (".rego", ".json", ".yaml", ".yml")
"""The suffixes of a policy's files."""
NOT_LOOKED_AT = ("..*", ".git*", ".regal", ".regal.yaml")
"""Names, in lower case, of what lies beside a policy: Kubernetes' own folders, Git, Regal."""
EDITORS = (".#*", "*~", "*.sw?")
"""Names, in lower case, of editors' own files."""
TEXTS = ("readme*", "license*", "*.md")
"""Names, in lower case, of files of text. One that ends with `.rego` is none."""
_SUFFIX = "write its suffix as .rego, .json, .yaml or .yml at the end of its name, or move it elsewhere"
_HIDDEN = "a name that begins with a dot is not read; rename it, or move it elsewhere"


class File(NamedTuple):
    """A file below a folder: its path there, its bytes, and why it is refused; empty if it is read."""

    path: PurePosixPath
    content: bytes
    refused: str = ""


def files(folder: Path) -> list[File]:
    """What a policy's folder holds, in order of the paths.

    1. A name with one of `SUFFIXES` among its suffixes, in any case, is read or refused.
    2. A link is followed if it stays in the folder and leads to what is not read yet. Other links are refused.
    Raises `SetupError` if something cannot be read.
    """
    walk = _Walk(folder)
    try:
        walk.below(folder, PurePosixPath())
        while walk.links:
            walk.follow(*walk.links.pop(0))
    except OSError as error:
        raise SetupError(f"{error.filename or folder} cannot be read ({error.strerror})") from None
    return sorted(walk.files)


class _Walk:
    """What is found, and the links that wait: they are followed last, so that a link never comes before the thing."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.files: list[File] = []
        self.links: list[tuple[Path, PurePosixPath]] = []
        self.seen = {self.root}

    def below(self, folder: Path, path: PurePosixPath) -> None:
        """Read the files of a folder that is `path` from the root."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _is_beside(entry.name.lower(), is_file=Path(entry).is_file()):
                    own = path / entry.name
                    self.links.append((Path(entry), own)) if entry.is_symlink() else self.read(Path(entry), own)
        self.links.sort()

    def read(self, there: Path, path: PurePosixPath, *, is_link: bool = False) -> None:
        """Read a file, or all files of a folder."""
        is_folder = there.is_dir()
        if is_folder or is_link or _is_policy(path.name):
            self.seen.add(there.resolve())
            self.below(there, path) if is_folder else self.files.append(_file(there, path))

    def follow(self, link: Path, path: PurePosixPath) -> None:
        """Read what a link leads to, or refuse the link."""
        if sentence := self._strays(link):
            self.files.append(File(path, b"", sentence))
        else:
            self.read(link, path, is_link=True)

    def _strays(self, link: Path) -> str:
        """Why a link is not followed; empty if it is."""
        real = Path(os.path.realpath(link))
        if not real.exists():
            return "this link leads nowhere; remove it"
        if not real.is_relative_to(self.root):
            return "this link leaves the policy's folder; put a copy here, or give the other folder to the command, too"
        if any(other.is_relative_to(real) for other in self.seen):
            return "this link leads to what is read already; remove it"
        return ""


def _is_beside(name: str, *, is_file: bool) -> bool:
    """Whether a name, in lower case, is one of what lies beside a policy."""
    is_text = is_file and not name.endswith(".rego")
    patterns = (*NOT_LOOKED_AT, *(EDITORS if is_file else ()), *(TEXTS if is_text else ()))
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_policy(name: str) -> bool:
    """Whether one of `SUFFIXES` is among its suffixes, in any case."""
    return any(f".{part}" in SUFFIXES for part in name.lower().split(".")[1:])


def _file(file: Path, path: PurePosixPath) -> File:
    if sentence := _refused(file, path):
        return File(path, b"", sentence)
    return File(path, file.read_bytes())


def _refused(file: Path, path: PurePosixPath) -> str:
    if visible(str(path)) != str(path):
        return "its name has characters that are not seen; rename it"
    if not file.is_file():
        return "it is not a file that can be read; remove it"
    if path.suffix not in SUFFIXES:
        return _SUFFIX
    return _HIDDEN if any(part.startswith(".") for part in path.parts) else ""
