"""What is not as AuthZEN or a profile of it says, or says more, is a row with its reason and a test."""

import json

import pytest

from tests.documents import ROOT

PLACES = sorted((ROOT / "tests/cases/authzen").glob("deviations_*.jsonl"))
ROWS = [json.loads(line) for place in PLACES for line in place.read_text().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["text"]))
def test_deviation_has_a_reason_and_a_test_that_is_there(row: dict[str, str]) -> None:
    assert set(row) == {"profile", "clause", "text", "ours", "reason", "test"}
    assert all(row.values())
    path, _, name = row["test"].partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()
