"""Numbers that a process counts: closed sets of labels, buckets, blocks that are timed."""

import pytest

from pdp.instrument import OTHER, Counter, Gauge, Histogram, Joined


def test_counts_begin_at_nothing_in_every_series() -> None:
    calls = Counter("calls", "Calls.", effect=("allow", "deny"), what=("one",))
    calls.at("allow", "one").add()
    calls.at("allow", "one").add(2)
    assert {values: one.value for values, one in calls.series.items()} == {("allow", "one"): 3, ("deny", "one"): 0}


def test_value_outside_of_the_set_is_counted_as_other() -> None:
    calls = Counter("calls", "Calls.", code=("OK",))
    for name in ("a", "b", 'c"} 1\n', OTHER):
        calls.at(name).add()
    assert {values: one.value for values, one in calls.series.items()} == {("OK",): 0, (OTHER,): 4}
    calls.allow("code", ["a"])
    calls.at("a").add()
    assert calls.series["a",].value == 1


def test_bucket_has_what_is_not_above_its_bound() -> None:
    seconds = Histogram("seconds", "Seconds.", (1, 2))
    for value in (0.5, 1, 1.5, 2, 3):
        seconds.at().observe(value)
    assert seconds.at().counts == [2, 2, 1]
    assert seconds.at().sum == 8


def test_block_that_fails_took_its_time() -> None:
    seconds = Histogram("seconds", "Seconds.", (60,))
    with pytest.raises(KeyError), seconds.at().took():
        raise KeyError
    assert seconds.at().counts == [1, 0]


def test_level_is_there_once_it_is_set_and_one_may_stand_alone() -> None:
    days = Gauge("days", "Days.", Joined.SMALLEST, name=("grpc",))
    assert not days.series
    days.at("grpc").set(3)
    days.at("grpc").add(-1)
    assert days.series["grpc",].value == 2
    revision = Gauge("revision", "Revision.", Joined.LARGEST, revision=())
    revision.only("a").set(1)
    revision.only("b").set(1)
    assert [*revision.series] == [("b",)]
