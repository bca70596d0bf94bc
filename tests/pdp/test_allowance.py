"""A bucket of items that fills up, and may go into debt."""

import pytest

from pdp.allowance import Allowance


def test_burst_comes_in_at_once_and_then_as_many_as_the_rate_gives() -> None:
    bucket = Allowance(rate=10, most=20)
    for _ in range(20):
        assert bucket.wait(1, 0.0) == 0
        bucket.spend(1, 0.0)
    assert bucket.wait(1, 0.0) == pytest.approx(0.1)
    assert bucket.wait(5, 0.25) == pytest.approx(0.25)
    assert bucket.wait(5, 0.5) == 0


def test_large_call_comes_in_where_the_bucket_is_full_and_is_paid_afterwards() -> None:
    bucket = Allowance(rate=10, most=20)
    assert bucket.wait(100, 0.0) == 0
    bucket.spend(100, 0.0)
    assert bucket.wait(1, 0.0) == pytest.approx(8.1)
    assert bucket.wait(100, 0.0) == pytest.approx(10)
    assert not bucket.is_full(9.9)
    assert bucket.is_full(10.1)


def test_item_that_is_paid_already_counts_for_a_full_bucket() -> None:
    bucket = Allowance(rate=10, most=20)
    bucket.spend(1, 0.0)
    assert bucket.wait(100, 0.0, paid=1) == 0
    assert bucket.wait(100, 0.0) == pytest.approx(0.1)


def test_without_a_rate_everything_comes_in() -> None:
    bucket = Allowance(rate=0, most=1)
    bucket.spend(10_000, 0.0)
    assert bucket.wait(10_000, 0.0) == 0
    assert bucket.is_full(0.0)
