"""The schemas of what goes over HTTP: they hold what they say, with the limits of the code."""

import pytest

from pdp.authzen import MAX_ITEMS
from pdp.http.openapi import OPERATIONS
from pdp.http.schemas import SCHEMAS
from tests.described import require

QUESTION = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "table", "id": "orders"},
}


def test_every_schema_is_used() -> None:
    operations = {name for one in OPERATIONS.values() for name in (one.body, one.answer)}
    for name in SCHEMAS.keys() - operations - {"Problem"}:
        assert f"'#/components/schemas/{name}'" in str(SCHEMAS), name
    assert operations - {""} <= SCHEMAS.keys()


def test_limit_is_that_of_the_code() -> None:
    assert SCHEMAS["EvaluationsRequest"]["properties"]["evaluations"]["maxItems"] == MAX_ITEMS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EvaluationRequest", {**QUESTION, "subject": {"type": "user"}}),
        ("EvaluationRequest", {**QUESTION, "options": {"dry_rnu": True}}),
        ("EvaluationRequest", {**QUESTION, "resource": {"type": "table", "id": "x" * 1025}}),
        ("EvaluationsRequest", {"evaluations": [{}] * (MAX_ITEMS + 1)}),
        ("Evaluation", {"decision": "true"}),
        ("Evaluation", {"context": {}}),
        ("Evaluation", {"decision": True, "context": {"unlisted": 1}}),
        ("SearchSubject", {"results": [{"id": "x"}], "page": {"next_token": ""}}),
        ("Problem", {"detail": "x"}),
    ],
)
def test_what_is_not_as_described_is_found(name: str, value: object) -> None:
    with pytest.raises(AssertionError):
        require(name, value)
