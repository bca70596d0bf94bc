"""Group commit into a chain that nobody else continues."""

import pytest

from pdp.audit import batch
from pdp.audit.record import Kind, entry
from pdp.recording.writer import _within_limits


@pytest.mark.parametrize(
    ("count", "payload", "runs"),
    [(0, 1, []), (1000, 1, [1000]), (1001, 1, [1000, 1]), (200, 32 * 1024, None), (2, 5_000_000, [1, 1])],
)
def test_entries_are_cut_into_batches_within_the_limits(count: int, payload: int, runs: list[int] | None) -> None:
    parts = list(_within_limits([entry(Kind.DECISION, b"x" * payload) for _ in range(count)]))
    assert sum(map(len, parts)) == count
    if runs is not None:
        assert [len(part) for part in parts] == runs
    for part in parts:
        assert len(part) <= batch.MAX_RECORDS
        assert len(part) == 1 or sum(item.size for item in part) <= batch.MAX_BYTES
