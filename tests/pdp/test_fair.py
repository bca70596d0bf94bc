"""Callers take turns: nobody's items wait behind more than one of a caller that sends many."""

from itertools import islice, zip_longest

from hypothesis import given
from hypothesis import strategies as st

from pdp.fair import FairQueue


def filled(*items: tuple[str, str, float]) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue()
    for caller, item, weight in items:
        queue.put(caller, item, weight)
    return queue


def rest(queue: FairQueue[str]) -> list[str]:
    return list(iter(queue.take, None))


def noisy(count: int, weight: float = 1.0) -> list[tuple[str, str, float]]:
    return [("noisy", f"n{number}", weight) for number in range(count)]


def test_caller_alone_has_its_items_in_order() -> None:
    queue = filled(*noisy(5))
    assert len(queue) == 5
    assert rest(queue) == ["n0", "n1", "n2", "n3", "n4"]
    assert not queue


def test_stranger_comes_before_the_second_next_item_of_the_noisy_caller() -> None:
    queue = filled(*noisy(1000))
    assert list(islice(iter(queue.take, None), 500))[-1] == "n499"
    queue.put("stranger", "s")
    assert rest(queue)[:2] == ["s", "n500"]


def test_callers_take_turns_and_weights_are_paid() -> None:
    queue = filled(*noisy(4), *(("heavy", f"h{number}", 2.0) for number in range(2)))
    assert rest(queue) == ["n0", "h0", "n1", "n2", "h1", "n3"]


def test_of_those_whose_turn_it_is_the_lightest_goes_first() -> None:
    queue = filled(("a", "a-large", 9.0), ("b", "b-small", 1.0), ("c", "c-medium", 5.0))
    assert rest(queue) == ["b-small", "c-medium", "a-large"]


def test_caller_that_sends_one_after_the_other_does_not_get_ahead_of_those_who_wait() -> None:
    queue = filled(*noisy(3))
    taken = []
    for number in range(3):
        queue.put("eager", f"e{number}", 1.0)
        taken += [queue.take(), queue.take()]
    assert taken == ["n0", "e0", "n1", "e1", "n2", "e2"]


def test_item_that_is_withdrawn_is_not_taken() -> None:
    queue = filled(*noisy(3))
    assert queue.withdraw("noisy", "n1")
    assert not queue.withdraw("noisy", "n1")
    assert not queue.withdraw("nobody", "n0")
    assert len(queue) == 2
    assert rest(queue) == ["n0", "n2"]


def test_caller_that_may_not_is_passed_over_and_keeps_its_turn() -> None:
    queue = filled(*noisy(2), ("other", "o", 1.0))
    assert queue.take(lambda item: not item.startswith("n")) == "o"
    assert queue.take(lambda item: not item.startswith("n")) is None
    assert len(queue) == 2
    assert rest(queue) == ["n0", "n1"]


def test_queue_remembers_nobody_when_nothing_waits() -> None:
    queue = filled(*((f"c{number}", f"i{number}", 1.0) for number in range(100)))
    rest(queue)
    assert not queue._lines
    assert not queue._turns


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(1, 8), st.booleans()), max_size=60))
def test_every_item_comes_once_and_in_its_callers_order(steps: list[tuple[str, float, bool]]) -> None:
    queue: FairQueue[str] = FairQueue()
    put: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    taken: list[str] = []
    for number, (caller, weight, takes) in enumerate(steps):
        put[caller].append(f"{caller}{number}")
        queue.put(caller, put[caller][-1], weight)
        if takes:
            taken.append(queue.take() or "")
    taken += rest(queue)
    for caller, items in put.items():
        assert [item for item in taken if item.startswith(caller)] == items
    assert len(taken) == len(steps)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(1, 5))
def test_while_all_have_items_shares_differ_by_one_item_at_most(weights: list[int], rounds: int) -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(200):
        for index, weight in enumerate(weights):
            queue.put(str(index), f"{index}.{number}", float(weight))
    paid = [0.0] * len(weights)
    for item in islice(iter(queue.take, None), rounds * len(weights)):
        index = int(item.partition(".")[0])
        paid[index] += weights[index]
    for one, other in zip_longest(paid, paid[1:], fillvalue=paid[0]):
        assert abs(one - other) <= 2 * max(weights)
