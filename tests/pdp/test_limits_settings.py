"""The part `[limits]` of the configuration."""

import pytest
from pydantic import ValidationError

from pdp.limits_settings import CallerLimits


def test_nothing_is_limited_by_default_but_what_is_in_flight() -> None:
    limits = CallerLimits()
    assert (limits.items_a_second, limits.items_in_flight) == (0, 8192)


@pytest.mark.parametrize(("rate", "burst", "most"), [(50, 0, 50), (50, 200, 200), (0.1, 0, 1)])
def test_burst_is_what_a_second_gives_unless_it_is_set(rate: float, burst: int, most: float) -> None:
    assert CallerLimits(items_a_second=rate, burst=burst).most_at_once == most


@pytest.mark.parametrize("values", [{"burst": 5}, {"items_a_second": -1}, {"items_in_flight": 0}, {"items": 1}])
def test_limits_that_say_nothing_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CallerLimits.model_validate(values)
