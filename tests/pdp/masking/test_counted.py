"""What counts against the quota: every value that a key turns into something else, or back."""

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest

import masker
from pdp.masking.count import counted_values, quotas

DOMAINS = {
    "token": {"mask": "token"},
    "fpe": {"mask": "fpe", "alphabet": "0123456789"},
    "pseudonym": {"mask": "pseudonym"},
    "email": {"mask": "email"},
    "visit": {"mask": "date_shift", "days": 30},
}
DAY = dt.date(2024, 2, 28)
SHIFTED = {"domain": "visit", "entity": "who"}


def counted(columns: dict[str, Any], rules: dict[str, dict[str, Any]], **options: Any) -> int:
    batch = pa.record_batch(columns)
    masks = [{"column": name, "rule": "r", **rule} for name, rule in rules.items()]
    made = counted_values(masker.plan(batch.schema, masks, DOMAINS, key_version=1, **options), batch)
    assert set(made.quotas) <= set(quotas(masker.plan(batch.schema, masks, DOMAINS, key_version=1, **options)))
    return made.values


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"domain": "token"}, ["a", None, "b"]),
        ({"domain": "token"}, [1, None, 2]),
        ({"domain": "fpe"}, ["1234567", None, "7654321"]),
        ({"domain": "pseudonym"}, ["a", None, "b"]),
        ({"domain": "email"}, ["a@b", None, "c@d"]),
        (SHIFTED, [DAY, None, DAY]),
        ({**SHIFTED, "format": "%Y%m%d"}, ["20240228", None, "20240228"]),
    ],
    ids=str,
)
def test_every_value_that_a_key_masks_is_counted(rule: dict[str, Any], values: list[Any]) -> None:
    assert counted({"c": values, "who": ["x", "y", "z"]}, {"c": rule, "who": {"mask": "clear"}}) == 2


def by_quota(columns: dict[str, Any], rules: dict[str, dict[str, Any]], **options: Any) -> dict[str, int]:
    batch = pa.record_batch(columns)
    masks = [{"column": name, "rule": "r", **rule} for name, rule in rules.items()]
    domains = {**DOMAINS, "halves": {"mask": "email", "local": "token", "host": "host"}, "host": {"mask": "token"}}
    return dict(counted_values(masker.plan(batch.schema, masks, domains, key_version=1, **options), batch).quotas)


def test_each_domain_counts_by_itself_and_an_address_for_the_domains_of_its_halves() -> None:
    below = {"t[]": {"domain": "token"}, "e": {"domain": "halves"}, "n": {"domain": "fpe"}}
    columns = {
        "a": ["x", None, "y"],
        "b": ["1"] * 3,
        "m": ["u@h", "v@h", None],
        "j": ['{"t":["1",null,"2"],"e":"w@h"}'] * 3,
    }
    rules = {
        "a": {"domain": "token"},
        "b": {"domain": "pseudonym"},
        "m": {"domain": "halves"},
        "j": {"mask": "json", "paths": below},
    }
    assert by_quota(columns, rules) == {"token": 2 + 2 + 6 + 3, "pseudonym": 3, "host": 2 + 3}
    assert by_quota({"m": ["u@h"]}, {"m": {"domain": "halves"}}, direction="unmask") == {"": 1}


def test_dates_in_lists_and_in_json_are_counted_one_by_one() -> None:
    columns = {"who": ["x", "y"], "c": [[DAY, None, DAY], [DAY]]}
    assert counted(columns, {"c[]": SHIFTED, "who": {"mask": "clear"}}) == 3
    below = {"day": {**SHIFTED, "format": "%Y-%m-%d"}, "who": {"mask": "clear"}}
    documents = [json.dumps({"day": "2024-02-28", "who": "x"}), json.dumps({"day": None, "who": "y"})]
    assert counted({"c": documents}, {"c": {"mask": "json", "paths": below}}) == 1


def test_what_no_key_masks_is_not_counted() -> None:
    rules = {"a": {"mask": "redact"}, "b": {"mask": "generalize", "to": "year"}, "c": {"mask": "nullify"}}
    assert counted({"a": ["x"], "b": [DAY], "c": [1]}, rules) == 0


def test_to_unmask_only_what_is_reversed_counts() -> None:
    columns = {"a": ["tok_abcdefxxx"], "b": ["pseudo"], "c": ["20240228"], "who": ["x"]}
    rules = {
        "a": {"domain": "token"},
        "b": {"domain": "pseudonym"},
        "c": {**SHIFTED, "format": "%Y%m%d"},
        "who": {"mask": "clear"},
    }
    assert counted(columns, rules, direction="unmask") == 1
    assert counted(columns, rules) == 3
