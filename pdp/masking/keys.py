"""The mask key file of a server: read at start, read again when it was rotated, and never told to anybody."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pdp.errors import KeyRefused, SetupError
from pdp.keys import own_groups, stamp

if TYPE_CHECKING:
    from masker import Keyring

DEMO_REALM = "dev"
"""Only `pdp dev` runs this realm; a key file of it is a demo key."""
_NO_EXTRA = "masking needs the extra `mask`: pip install 'placet[mask]'"


class MaskKeys:
    """The keyring in force."""

    def __init__(self, path: Path, realm: str) -> None:
        self._path, self._realm = path, realm
        self._lock = threading.Lock()
        self._stamp = stamp(path)
        self._keyring = keyring(path, realm)

    def current(self) -> "Keyring":
        """The file's keys as they are now. Raises `KeyRefused` where a change made it unusable."""
        with self._lock:
            now = stamp(self._path)
            if now != self._stamp:
                try:
                    self._keyring = keyring(self._path, self._realm)
                except SetupError as error:
                    raise KeyRefused(f"the server's mask keys cannot be read: {error.sentence}") from None
                self._stamp = now
            return self._keyring


def keyring(path: Path, realm: str) -> "Keyring":
    """The keys in `path`. Raises `SetupError` where it is not a key file of `realm`, or where others can read it."""
    try:
        import masker  # noqa: PLC0415  # an extra
    except ImportError:
        raise SetupError(_NO_EXTRA) from None
    try:
        loaded = masker.Keyring.load(path, groups=own_groups(path))
    except masker.KeyRefused as error:
        raise SetupError(f"mask_keys: {_refused(path, realm, error)}") from None
    if loaded.realm != realm:
        raise SetupError(
            f"{path} is of the realm {loaded.realm}, but this one is {realm}: tokens of two realms never join; "
            f"give this one a file of its own: pdp keys rotate FILE --realm {realm}"
        )
    return loaded


def _refused(path: Path, realm: str, error: Exception) -> str:
    """Why a key file cannot be used, and the command that mends it."""
    if not path.exists():
        return f"there is no {path}; put it there, or make the first one: pdp keys rotate {path} --realm {realm}"
    return (
        f"{error}; run: chmod 600 {path}" if "mode" in str(error) else f"{error}, in {path.parent}; put back its copy"
    )


def demo_keys(path: Path) -> Path | None:
    """`path` with a demo key file, made now where there is none; None where the extra `mask` is not installed."""
    try:
        from masker import keys  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        keys.create(path, DEMO_REALM, now=datetime.now(UTC))
    return path


def refuse_demo(path: Path | None, realm: str) -> None:
    """Raise `SetupError` for a key file that `pdp dev` made: everybody who tried Placet may have had it."""
    if path is not None and keyring(path, realm).realm == DEMO_REALM:
        raise SetupError(
            f"{path} is a demo key of `pdp dev`; choose a realm of your own and run: pdp keys rotate {path.name}"
        )
