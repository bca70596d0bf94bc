"""The names in data that have a shape are held to it."""

from pathlib import PurePosixPath
from typing import Any

import pytest

from pdp.policy.sources import Source
from pdp.policy.vocabulary import misshapen

SOURCE = Source("p", PurePosixPath("data.json"), "data.json", b"{}")
WHEN = "2027-01-01T00:00:00Z"
FITS = [
    {"column_tags": {"t": {f"c{number}": [f"t{number % 1000}"] for number in range(10_000)}}},
    {"tags": ["pii"]},
    {"tags": {"pii": {}, "contact": "reaches a person"}},
    {"tags": {"a.b-c": {"propagate": False, "on_mask": "stop", "indirect": "carry", "description": "x"}}},
    {"unclassified": {"actions": [], "asks_from": WHEN}},
    {"unclassified": {"actions": ["export"], "asks_from": "2027-01-01T00:00:00.5+01:00"}},
]
MISSHAPEN = [
    {"tags": {"pii": {"propagate": "no"}}},
    {"tags": {"pii": {"on_mask": "keep"}}},
    {"tags": {"pii": {"indirect": True}}},
    {"tags": {"pii": {"propagates": False}}},
    {"tags": {"Pii": {"propagate": False}}},
    {"tags": {"pii=email": {"propagate": False}}},
    {"tags": {"unclassified": {}}},
    {"tags": {"pii": None}},
    {"unclassified": {"actions": ["export"]}},
    {"unclassified": {"actions": "export", "asks_from": WHEN}},
    {"unclassified": {"actions": ["export"], "asks_from": "2027-01-01"}},
    {"unclassified": {"actions": ["export"], "asks_from": "2027-13-01T00:00:00Z"}},
    {"unclassified": {"actions": ["export"], "asks_from": "9999-01-01T00:00:00Z"}},
    {"unclassified": {"actions": ["export"], "asks_from": WHEN, "more": 1}},
    {"unclassified": []},
    {"column_tags": {"t": {"c": [f"t{number}" for number in range(65)]}}},
    {"column_tags": {"t": {f"c{number}": [] for number in range(10_001)}}},
    {
        "column_tags": {"t": {f"c{number}": [f"t{number}"] for number in range(1000)}},
        "table_tags": {"t": [f"u{number}" for number in range(25)]},
    },
]


@pytest.mark.parametrize("document", FITS, ids=str)
def test_what_fits_is_fine(document: dict[str, Any]) -> None:
    assert list(misshapen(SOURCE, document)) == []


@pytest.mark.parametrize("document", MISSHAPEN, ids=str)
def test_what_nothing_could_read_is_found(document: dict[str, Any]) -> None:
    assert [finding.rule for finding in misshapen(SOURCE, document)] == ["wrong-shape"]
