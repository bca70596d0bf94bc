"""Quiet hours, by the clocks of their zone."""

from datetime import UTC, datetime

import pytest

from pdp.quiet import Quiet


def until(text: str, now: datetime) -> datetime | None:
    quiet = Quiet.of(text)
    assert quiet is not None
    return quiet.until(now)


def at(hour: int, minute: int = 0, day: int = 15) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def test_quiet_hours_go_over_midnight_by_the_clocks_of_their_zone() -> None:
    night = "22:00-07:00 Europe/Berlin"
    assert until(night, at(21, 30)) == at(6, day=16)
    assert until(night, at(5, 59)) == at(6)
    assert until(night, at(6)) is None
    assert until(night, at(20, 59)) is None
    assert until("12:00-13:00 UTC", at(12, 30)) == at(13)
    assert until("12:00-13:00 UTC", at(13)) is None


@pytest.mark.parametrize("times", ["", "22-7", "24:00-07:00", "07:00-07:00", "1:00-2:00"])
def test_times_that_are_none_are_no_quiet_hours(times: str) -> None:
    assert Quiet.of(f"{times} UTC") is None


@pytest.mark.parametrize("zone", ["Nowhere/City", "../../etc/passwd", "Europe", "", "UTC UTC"])
def test_zones_that_are_none_are_no_quiet_hours(zone: str) -> None:
    assert Quiet.of(f"22:00-07:00 {zone}") is None


@pytest.mark.parametrize("text", ["22:00-07:00 Europe/Berlin", "00:00-23:59 UTC"])
def test_text_is_what_it_was_read_from(text: str) -> None:
    quiet = Quiet.of(text)
    assert quiet is not None
    assert quiet.text == text
