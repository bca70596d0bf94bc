"""Columns that a mask finds by their tags are told from the data."""

from typing import Any

import pytest

from pdp.policy.tagged import columns
from tests.pdp.policy.test_total import parsed

TAGS = {"customers": {"ssn": ["pii"], "city": [], "mail": ["pii", "contact"]}, "orders": {"sum": ["money"]}}
EACH = "some name, tags in data.column_tags[input.resource.id]"
OF_ONE = "some name, tags in data.column_tags.customers"
FOUND = {
    f"[name | {EACH}]": {"ssn", "city", "mail", "sum"},
    f'{{name | {EACH}; not "pii" in tags}}': {"city", "sum"},
    f'[name | {EACH}; "pii" in tags; not "contact" in tags]': {"ssn"},
    f"[name | {OF_ONE.replace('.customers', '[`customers`]')}; count(tags) == 0]": {"city"},
    f"[name | {EACH}; count(tags) != 0]": {"ssn", "city", "mail", "sum"},
    f"[name | {EACH}; name in input.context.names]": {"ssn", "city", "mail", "sum"},
    f"[lower(name) | {EACH}]": None,
    f"[tags | {EACH}]": None,
    "[name | some name, tags in data.other[input.resource.id]]": None,
    '["city"]': None,
    "data.columns": None,
}


def found(term: str, tags: Any) -> set[str] | None:
    entry = f'{{"rule": "m", "reason": "r", "columns": {term}, "mask": "clear"}}'
    (module,) = parsed({"p.rego": f"package policy\n\nmask contains {entry} if input.action.name\n"})
    return columns(module, module.rules[0], {"column_tags": tags})


@pytest.mark.parametrize("term", FOUND)
def test_columns_are_told_as_far_as_the_data_tells(term: str) -> None:
    assert found(term, TAGS) == FOUND[term]


@pytest.mark.parametrize("tags", [None, ["ssn"], {"customers": ["ssn"]}, {"customers": {"*": []}}])
def test_data_of_another_shape_tells_nothing(tags: Any) -> None:
    assert not found(f"[name | {EACH}]", tags)
