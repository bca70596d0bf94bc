"""Anchors of verifications of the live log, kept in the state folder, a folder for each realm and key.

Those of files lie beside them under another name: an old export says nothing about how far the live log has come.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pdp.cli import exit_code

if TYPE_CHECKING:
    from pdp.audit.verify import Anchor

LIVE, FILE = "log", "file"
_REALM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_realm(text: str) -> bool:
    """Whether a deployment can have this name. It becomes a folder's, and comes from a file of anybody's."""
    return _REALM.fullmatch(text) is not None


def keys(state: Path, realm: str) -> set[str]:
    """The keys of the live logs of this realm that were verified here."""
    return {path.parent.name for path in (state / "anchors" / realm).glob(f"*/{LIVE}-*.json")}


def newest(state: Path, realm: str, kid: str) -> Path | None:
    """The anchor that the last good verification of this live log left."""
    return max((state / "anchors" / realm / kid).glob(f"{LIVE}-*.json"), default=None)


def keep(anchor: "Anchor", state: Path, origin: str) -> Path:
    """Write an anchor, whole or not at all; where it is."""
    folder = state / "anchors" / anchor.realm / anchor.key
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{origin}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(anchor.to_json())
        os.fsync(file.fileno())
    part.replace(path)
    return path


def read(path: Path) -> "Anchor":
    """The anchor in a file; ends where there is none."""
    from pdp.audit.verify import Anchor

    try:
        return Anchor.from_json(path.read_bytes())
    except OSError as error:
        exit_code.fail(f"cannot read the anchor {path}: {error.strerror}", exit_code.USAGE)
    except (ValueError, KeyError, TypeError, AttributeError):
        exit_code.fail(f"{path} is no anchor", exit_code.USAGE)
