"""Instants as the clocks of a time zone show them, and back. Counts are of any unit, from 1970-01-01T00:00:00Z.

The dates of a zone are those of the IANA database that Python finds on the machine.
"""

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
_QUARTERS_A_DAY = 96
"""Clocks change at a quarter of an hour, so that all instants of a quarter have one offset."""
_QUARTER = dt.timedelta(minutes=15)
_OFFSET = re.compile(r"[+-][01]\d:?[0-5]\d")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LEAST, _MOST = -69_039_000, 281_563_000
"""Quarters of an hour in the years 1 to 9999, a day within; before and after them the offset is that of the end."""


def is_zone(name: str) -> bool:
    """Tell whether a time zone of this name is known."""
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def is_name(text: str) -> bool:
    """Tell whether it is the name of a known time zone or a fixed offset such as `+09:30`, and so no free text."""
    return text == "UTC" or _OFFSET.fullmatch(text) is not None or is_zone(text)


def local(counts: NDArray[Any], per_day: int, name: str) -> tuple[Counts, NDArray[np.bool_]]:
    """Return what the zone's clocks show at instants, as counts, and where that is beyond 64 bits."""
    zone = zoneinfo.ZoneInfo(name)
    shift = _offsets(counts.astype(np.int64), per_day, lambda at: (_EPOCH + at).astimezone(zone))
    with np.errstate(over="ignore"):
        shown = counts.astype(np.int64) + shift
    return shown, (shown < counts) != (shift < 0)


def instants(shown: Counts, per_day: int, name: str) -> Counts:
    """Return the instants at which the zone's clocks show this; the first one where they show it twice."""
    zone = zoneinfo.ZoneInfo(name)
    shift = _offsets(shown, per_day, lambda at: (_EPOCH + at).replace(tzinfo=zone))
    return shown - shift


def _offsets(counts: Counts, per_day: int, moment: Callable[[dt.timedelta], dt.datetime]) -> Counts:
    """Return the zone's offset at each count; each quarter of an hour is looked up once."""
    quarters, places = np.unique(counts // (per_day // _QUARTERS_A_DAY), return_inverse=True)
    found = [moment(int(quarter) * _QUARTER).utcoffset() for quarter in np.clip(quarters, _LEAST, _MOST)]
    seconds = np.array([offset.total_seconds() if offset else 0 for offset in found], np.int64)
    return seconds[places] * np.int64(per_day // 86_400)
