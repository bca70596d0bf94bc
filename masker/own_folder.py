"""A folder that only its owner can have written to, and files in it that are whole."""

import contextlib
import hashlib
import os
import stat
import uuid
from pathlib import Path

_DIGEST_BYTES = 32


class OwnFolder:
    """Each file begins with a digest of its name and content; one that does not fit it counts as not there.

    The digest finds damage. It does not stop people who may write here, and so only this user may.
    Everything goes through the opened folder, so what is checked is what is used, also if its path changes meanwhile.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def at(cls, path: Path) -> "OwnFolder | None":
        """Open the folder, making it if need be. None unless it is a folder of this user that nobody else may enter."""
        if os.name != "posix":
            return None
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
            descriptor = os.open(path, flags)
        except OSError:
            return None
        if _is_own(os.fstat(descriptor), 0o077):
            return cls(descriptor)
        os.close(descriptor)
        return None

    def read(self, name: str) -> bytes | None:
        """Return what was written under this name, or None if that is not there, not whole or not this user's."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._descriptor)
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode) or not _is_own(found, 0o022):
                    return None
                held = file.read()
        except OSError:
            return None
        content = held[_DIGEST_BYTES:]
        return content if held[:_DIGEST_BYTES] == _digest(name, content) else None

    def write(self, name: str, content: bytes) -> None:
        """Write a file as a whole, or nothing where that is not possible. A reader sees the old one or the new one."""
        temporary = f"{name}.{uuid.uuid4().hex}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(temporary, flags, 0o600, dir_fd=self._descriptor)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_digest(name, content) + content)
                os.replace(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            except OSError:
                os.unlink(temporary, dir_fd=self._descriptor)
        except OSError:
            return


def _is_own(found: os.stat_result, closed: int) -> bool:
    """Whether it is this user's, and `closed` is closed to others."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & closed


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()
