"""What an approval to unmask opens, whatever somebody writes into its context."""

from typing import Any

import pytest

from pdp.view.unmasking import unmasking
from tests.cli.test_tokens import held


def test_numbers_and_domains_are_there_and_the_least_quota_counts() -> None:
    asked = {"columns": ["a", "b"], "column_domains": ["d"], "domains": ["d", "e"], "count": 3, "chunks": 2}
    found = unmasking(held({**asked, "tokens_tree": "x"}, 9, 5))
    assert found is not None
    assert (found.values, found.chunks, found.quota) == (3, 2, 5)
    assert [(one.column.text, one.domain.text) for one in found.columns] == [("a", "d"), ("b", "")]
    assert [one.text for one in found.further] == ["e"]


@pytest.mark.parametrize("context", [{"tokens_sha256": "x"}, {"tokens_tree": None, "count": "many", "columns": {}}])
def test_what_is_not_said_is_not_made_up(context: dict[str, Any]) -> None:
    found = unmasking(held(context))
    assert found is not None
    assert found.values is None
    assert found.columns == ()
    assert found.chunks == (None if "tokens_tree" in context else 0)
