"""The values in a batch that count, and what an approval to unmask is bound to."""

from typing import Any

import pyarrow as pa

from masker import plan, plan_records
from masker.keys import Keyring, KeyVersion
from pdp.arrow.tokens import columns_digest
from pdp.masking.count import Counted, counted_values, unmask_context
from pdp.masking.rows import Rows, Shape

DOMAINS = {"customer": {"mask": "token"}, "card": {"mask": "fpe", "alphabet": "0123456789"}, "mail": {"mask": "email"}}

KEYS = Keyring("test", [KeyVersion(1, "active", bytes(32), "2026-01-01T00:00:00Z")])
MASKS: dict[str, dict[str, Any]] = {
    "id": {"domain": "customer"},
    "card": {"domain": "card"},
    "mail": {"domain": "mail"},
    "note": {"mask": "redact"},
    "zip": {"mask": "generalize", "to": "zip3"},
    "plain": {"mask": "clear"},
}


def planned(direction: str, *names: str) -> Any:
    masks = [{"column": name, "rule": "r", **MASKS[name]} for name in names]
    return plan(pa.schema([(name, pa.string()) for name in names]), masks, DOMAINS, direction=direction, key_version=1)


def test_only_values_with_which_one_could_build_a_code_book_count() -> None:
    batch = pa.record_batch({name: pa.array(["1", None, "3"]) for name in MASKS})
    assert counted_values(planned("mask", *MASKS), batch).values == 2 * 3
    assert counted_values(planned("mask", *MASKS), batch.slice(1, 1)) == Counted(0, {})
    assert counted_values(planned("unmask", "id", "note"), batch.select(["id", "note"])).values == 2


def test_records_count_like_columns() -> None:
    masks = [{"column": "id", "rule": "r", "domain": "customer"}, {"column": "note", "rule": "r", "mask": "redact"}]
    rows = Rows.of_records(['{"id":"a","note":"x"}', '{"id":null,"note":"y"}', '{"note":"z"}'])
    assert counted_values(plan_records(masks, DOMAINS, key_version=1), rows.batch).values == 1


def test_approval_counts_values_in_text_of_json_by_the_plan() -> None:
    masks = [{"column": "t", "rule": "r", "mask": "json", "paths": {"a[]": {"domain": "mail"}, "b": {"mask": "clear"}}}]
    schema = pa.schema([("t", pa.string())])
    rows = Rows(Shape(schema), pa.record_batch({"t": ['{"a":["x","y",null],"b":1}', None]}))
    made = plan(schema, masks, DOMAINS, direction="unmask", masked_version=1)
    assert unmask_context(made, KEYS, rows)["count"] == counted_values(made, rows.batch).values == 2


def test_approval_to_unmask_is_bound_to_columns_count_and_tokens() -> None:
    masks = [{"column": "t", "rule": "r", "domain": "customer"}, {"column": "u", "rule": "r", "mask": "redact"}]
    schema = pa.schema([("t", pa.string()), ("u", pa.string())])
    rows = Rows(Shape(schema), pa.record_batch({"t": ["a", None, "c"], "u": ["x", "y", "z"]}))
    bound = unmask_context(plan(schema, masks, DOMAINS, direction="unmask"), KEYS, rows)
    assert bound == {
        "columns": ["t"],
        "domains": ["customer"],
        "count": 2,
        "tokens_sha256": columns_digest(rows.batch, ["t"]),
    }
    records = Rows.of_records(['{"t":"a"}'])
    assert unmask_context(plan_records(masks[:1], DOMAINS, direction="unmask"), KEYS, records)["count"] == 1
