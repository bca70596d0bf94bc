"""How often an address may try."""

import pytest

from pdp.errors import Overloaded
from pdp.http import attempts
from pdp.http.attempts import Attempts


def test_address_has_its_number_a_minute_and_takes_nobody_elses() -> None:
    now = 0.0
    made = Attempts(2, lambda: now)
    made.require("a")
    now = 30.0
    made.require("a")
    with pytest.raises(Overloaded) as caught:
        made.require("a")
    assert caught.value.retry_seconds == 30.0
    made.require("b")
    now = 60.0
    made.require("a")
    with pytest.raises(Overloaded):
        made.require("a")


def test_look_for_room_counts_nothing() -> None:
    made = Attempts(1, lambda: 0.0, "wrong tokens")
    for _ in range(3):
        made.require_room("a")
    made.require("a")
    with pytest.raises(Overloaded, match="1 wrong tokens a minute"):
        made.require_room("a")
    made.require_room("b")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_SOURCES", 3)
    made = Attempts(1, lambda: 0.0)
    for number in range(9):
        made.require(f"{number}")
    assert len(made._made) == 3
