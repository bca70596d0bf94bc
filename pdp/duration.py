"""Durations as policies and commands write them: "4h", "15m", "30s" or "1h30m"."""

import re

_DURATION = re.compile(r"(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,7})s)?")


def duration_ms(text: str) -> int | None:
    """Milliseconds of a duration such as "4h", "15m" or "1h30m"; None for anything else, zero included."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 or None
