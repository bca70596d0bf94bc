"""Hours of a day in which a person is told nothing: `22:00-07:00 Europe/Berlin`. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_QUIET = re.compile(r"([0-2][0-9]:[0-5][0-9])-([0-2][0-9]:[0-5][0-9]) ([A-Za-z0-9_+/-]{1,64})")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one time of a day to another, by the clocks of a zone; over midnight where the first is later."""

    begins: time
    ends: time
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str) -> "Quiet | None":
        """The hours in a text; None where it is none, or says the same time twice."""
        match = _QUIET.fullmatch(text)
        if match is None:
            return None
        try:
            begins, ends = time.fromisoformat(match[1]), time.fromisoformat(match[2])
            return cls(begins, ends, ZoneInfo(match[3])) if begins != ends else None
        except (KeyError, ValueError, OSError):  # an hour that is none; a zone that is unknown, or a folder of zones
            return None

    @property
    def text(self) -> str:
        """The hours as `of` reads them."""
        return f"{self.begins:%H:%M}-{self.ends:%H:%M} {self.zone.key}"

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours end that `now` lies in; None outside of them."""
        there = now.astimezone(self.zone)
        for day in (there.date() - timedelta(days=1), there.date()):
            begins = datetime.combine(day, self.begins, self.zone)
            ends = datetime.combine(day + timedelta(days=self.ends <= self.begins), self.ends, self.zone)
            if begins.timestamp() <= now.timestamp() < ends.timestamp():
                return ends
        return None
