"""Keeps the anchors of verifications in the state folder, in one folder for each realm and key.

Anchors of the live log and anchors of exported files have different names, because an old export says nothing about how
far the live log has come.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pdp.cli import exit_code
from pdp.say import say

if TYPE_CHECKING:
    from pdp.audit.verify import Anchor

LIVE, FILE = "log", "file"
_REALM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_realm(text: str) -> bool:
    """Whether `text` can be a deployment's name. A file that may be forged gives it, and it becomes a folder's name."""
    return _REALM.fullmatch(text) is not None


def keys(state: Path, realm: str) -> set[str]:
    """The audit keys of this realm's live log that verifications on this machine saw."""
    return {path.parent.name for path in (state / "anchors" / realm).glob(f"*/{LIVE}-*.json")}


def newest(state: Path, realm: str, kid: str) -> Path | None:
    """The anchor of the last successful verification of this live log; None if there is no such anchor."""
    return max((state / "anchors" / realm / kid).glob(f"{LIVE}-*.json"), default=None)


def keep(anchor: "Anchor", state: Path, origin: str) -> Path:
    """Write an anchor, as a whole or not at all, and return its path."""
    folder = state / "anchors" / anchor.realm / anchor.key
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{origin}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(anchor.to_json())
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def keep_and_tell(anchor: "Anchor", state: Path, origin: str) -> None:
    """Keep the anchor. That it cannot be kept says nothing about the log, so it is a note."""
    try:
        kept = keep(anchor, state, origin)
    except OSError as error:
        say(
            f"note: the anchor could not be kept in {state} ({error.strerror}); keep this output in its place, as "
            "`-o json` prints it, and next time: pdp audit verify --since FILE"
        )
        return
    say(f"anchor kept in {kept}; keep a copy away from the log, and next time: pdp audit verify --since {kept}")


def read(path: Path) -> "Anchor":
    """The anchor in a file. Ends the command if the file does not hold one."""
    from pdp.audit.verify import Anchor

    try:
        return Anchor.from_json(path.read_bytes())
    except OSError as error:
        exit_code.fail(f"cannot read the anchor {path}: {error.strerror}", exit_code.USAGE)
    except (ValueError, KeyError, TypeError, AttributeError):
        exit_code.fail(f"{path} is not an anchor", exit_code.USAGE)
