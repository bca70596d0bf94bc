"""Makes the records of how people chose to be told. Who it is, and what was chosen, is in the payload."""

from datetime import datetime
from typing import Any

import orjson

from pdp.audit.record import Entry, Kind, entry
from pdp.preference import Preference

TAMPERED = "PREFERENCE_TAMPERED"
"""The error of a record that says that a stored preference was not as a server wrote it."""


def changed(identity: str, before: Preference | None, after: Preference | None, at: datetime, why: str) -> Entry:
    """A preference changed; None stands for what the policy's data says. `why`: `person`, or `operator`."""
    held = {"identity": identity, "before": _shown(before), "after": _shown(after), "at": at, "why": why}
    return entry(Kind.PREFERENCE_CHANGED, orjson.dumps(held))


def refused() -> Entry:
    """A stored preference was refused."""
    sentence = "a stored preference was changed behind the servers' back; it was refused"
    return entry(Kind.ERROR, orjson.dumps({"details": {"message": sentence}}), error=TAMPERED)


def _shown(preference: Preference | None) -> dict[str, Any] | None:
    return {"muted": preference.muted, "quiet": preference.quiet} if preference else None
