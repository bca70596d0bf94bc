"""Which claims of a verified token requirements may ask for."""

from typing import Any

import pytest

from pdp import claims


@pytest.mark.parametrize("value", ["finance", "", True, False, 0, -3, 2.5, 2**53 - 1, [], ["a", 1, True], ["finance"]])
def test_listed_scalars_and_lists_of_them_count(value: Any) -> None:
    assert claims.listed({"department": value, "other": value}, ["department"]) == {"department": value}


@pytest.mark.parametrize(
    "value",
    [None, {}, {"a": 1}, [None], [["a"]], ["a", {}], float("nan"), float("inf"), [1e300], 2**53, "\ud800", ["a\udfff"]],
)
def test_nothing_else_counts(value: Any) -> None:
    assert claims.listed({"department": value, "level": 1}, ["department", "level"]) == {"level": 1}


def test_claim_that_the_token_lacks_or_the_issuer_does_not_list_is_not_there() -> None:
    assert not claims.listed({"sub": "bob", "Department": "finance"}, ["department"])
    assert not claims.listed({"department": "finance"}, [])
