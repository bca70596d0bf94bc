import pytest

from pdp import identifier


@pytest.mark.parametrize("prefix", ["apr", "dec", "rec"])
def test_ids_sort_by_time_and_read_back(prefix: str) -> None:
    made = [identifier.new(prefix) for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(identifier.uuid_bytes(one) == bytes.fromhex(one[4:]) for one in made)


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
