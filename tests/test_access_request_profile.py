"""What is not as AuthZEN's draft of the access-request profile says is a row with its reason and a test."""

import json

import pytest

from tests.documents import ROOT

ROWS = [json.loads(line) for line in (ROOT / "tests/cases/authzen/deviations_arap.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["clause"]))
def test_deviation_has_a_reason_and_a_test_that_is_there(row: dict[str, str]) -> None:
    assert set(row) == {"profile", "clause", "text", "ours", "reason", "test"}
    assert all(row.values())
    path, _, name = row["test"].partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()
