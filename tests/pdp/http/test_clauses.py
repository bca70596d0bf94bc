"""The specification, clause by clause: each has a test that shows it, or a reason why it is not so here, or both."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLAUSES = [json.loads(line) for line in (ROOT / "tests/cases/authzen/clauses.jsonl").read_text().splitlines()]
NAMED = sorted({test for clause in CLAUSES for test in clause.get("tests", ())})


@pytest.mark.parametrize("test", NAMED)
def test_named_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {name}"


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause["section"])
def test_clause_is_shown_or_its_deviation_has_a_reason(clause: dict[str, object]) -> None:
    assert {"document", "section", "level", "says"} <= set(clause)
    assert set(clause) <= {"document", "section", "level", "says", "tests", "deviation", "client"}
    assert clause.get("tests") or clause.get("deviation") or clause.get("client")


def test_each_document_has_its_clauses() -> None:
    assert len({clause["document"] for clause in CLAUSES}) >= 3
    assert len(CLAUSES) > 60
