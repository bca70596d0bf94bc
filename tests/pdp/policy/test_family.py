"""What a rule may rely on, from the schemas of the types that it is about."""

from typing import Any

import pytest

from pdp.policy.family import OPEN, context_of, elsewhere, read_of
from pdp.policy.schema import Schemas, closed
from pdp.policy.shape import below, kinds

NUMBER, TEXT = {"type": "number"}, {"type": "string"}
TABLE = closed({"type": "object", "properties": {"rows": NUMBER, "owner": TEXT}})
BOX = closed({"type": "object", "properties": {"rows": TEXT, "size": NUMBER}, "additionalProperties": True})
LISTED = {"table": TABLE, "box": BOX}
PAY = closed({"type": "object", "properties": {"days": NUMBER}})
ANY = closed({"type": "object", "properties": {"ticket": TEXT}})


@pytest.mark.parametrize(
    ("named", "name", "wanted", "is_open"),
    [
        (["table"], "rows", {"number"}, False),
        (["box"], "rows", {"string"}, True),
        (["box"], "owner", {"string"}, True),
        (["table"], "size", set(), False),
        (["table", "box"], "rows", {"number", "string"}, True),
        (None, "rows", {"number", "string"}, True),
        (["file"], "size", {"number"}, True),
        (["file"], "rows", {"number", "string"}, True),
    ],
)
def test_properties_of_types(named: list[str] | None, name: str, wanted: set[str], *, is_open: bool) -> None:
    shape = read_of(LISTED, named)
    assert kinds(below(shape, name)) == wanted
    assert (shape["additionalProperties"] is not False) is is_open
    assert read_of({}, named) == OPEN


@pytest.mark.parametrize(
    ("contexts", "named", "name", "wanted"),
    [
        ({"pay": PAY}, ["pay"], "days", {"number"}),
        ({"pay": PAY}, None, "days", set()),
        ({"pay": PAY}, ["ship"], "days", set()),
        ({"pay": PAY}, ["pay", "ship"], "days", set()),
        ({"pay": PAY, "any": ANY}, ["pay"], "ticket", {"string"}),
        ({"pay": PAY, "any": ANY}, ["ship"], "ticket", {"string"}),
        ({"pay": PAY, "any": ANY}, None, "ticket", {"string"}),
        ({"pay": PAY, "any": ANY}, None, "days", set()),
        ({}, ["unmask"], "count", {"number"}),
        ({"pay": PAY}, ["unmask"], "count", {"number"}),
        ({"pay": PAY}, None, "count", set()),
    ],
)
def test_context_of_actions(contexts: Any, named: list[str] | None, name: str, wanted: set[str]) -> None:
    assert kinds(below(context_of(Schemas(contexts=contexts), named), name)) == wanted


def test_names_that_others_list() -> None:
    assert elsewhere(LISTED, "table") == {}
    assert elsewhere(LISTED, "box") == {"owner": ["table"]}
    assert elsewhere(LISTED, "file") == {"rows": ["table", "box"], "owner": ["table"], "size": ["box"]}
