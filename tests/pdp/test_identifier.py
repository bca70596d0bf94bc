import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from pdp import identifier


@pytest.mark.parametrize("prefix", ["apr", "dec", "rec"])
def test_ids_sort_by_time_and_read_back(prefix: str) -> None:
    made = [identifier.new(prefix) for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(identifier.uuid_bytes(one) == bytes.fromhex(one[4:]) for one in made)


def test_ids_are_uuids_of_version_7_of_now() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(hex=identifier.new("dec")[4:]) for _ in range(100)]
    after = time.time_ns() // 1_000_000
    assert {(each.version, each.variant) for each in made} == {(7, uuid.RFC_4122)}
    assert all(before <= each.int >> 80 <= after for each in made)
    assert len({each.int & (1 << 62) - 1 for each in made}) == 100


def test_ids_of_many_threads_differ() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: identifier.new("dec"), range(20_000)))
    assert len(set(made)) == 20_000


@pytest.mark.parametrize("before", [(1 << 122) - 1 >> 1, 5 << 74])
def test_a_clock_that_is_set_back_makes_no_earlier_id(before: int) -> None:
    source = identifier._Uuid7()
    source._last = before
    made = [source.next() for _ in range(3)]
    assert made == sorted(set(made))
    assert int(made[0], 16) >> 80 >= before >> 74


def test_decision_and_its_record_have_the_same_uuid() -> None:
    decision = identifier.new("dec")
    assert identifier.decision_id(identifier.record_id(decision)) == decision
    assert identifier.uuid_bytes(identifier.record_id(decision)) == identifier.uuid_bytes(decision)


ZEROS = "0" * 32
NO_IDS = [
    *("", "apr", "apr_", ZEROS, f"abc_{ZEROS}", f"APR_{ZEROS}", f"apr_{ZEROS}0", f"apr_{ZEROS[1:]}", f"apr_{ZEROS}\n"),
    *(
        f" apr_{ZEROS}",
        f"apr_{'A' * 32}",
        f"apr_{'g' * 32}",
        f"apr_{' ' * 32}",
        f"apr_{'00 ' * 10}00",
        f"apr_{'٣' * 32}",
    ),
]


@pytest.mark.parametrize("text", NO_IDS)
def test_other_texts_are_no_ids(text: str) -> None:
    assert identifier.uuid_bytes(text) is None
