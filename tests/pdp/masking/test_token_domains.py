"""What an unmasking opens: the domains of the very tokens, and where they do not tell it, those of the plan."""

import json
from typing import Any

import pyarrow as pa
import pytest

import masker
from masker.keys import Keyring, KeyVersion
from pdp.masking.rows import Rows
from pdp.masking.token_domains import planned_domains, unmasked_domains

DOMAINS: dict[str, dict[str, Any]] = {
    "strict": {"mask": "token", "kind": "s"},
    "lax": {"mask": "token"},
    "card": {"mask": "fpe", "alphabet": "0123456789", "on_short": "token"},
    "mail": {"mask": "email"},
    "halves": {"mask": "email", "local": "lax", "host": "host"},
    "host": {"mask": "token"},
}
KEYS = Keyring(
    "r", [KeyVersion(n, s, bytes([n]) * 32, "2026-01-01T00:00:00Z") for n, s in ((1, "readable"), (2, "active"))]
)


def masked(domain: str, values: list[Any], version: int = 2) -> Any:
    table = pa.table({"c": values})
    made = masker.plan(table.schema, [{"column": "c", "domain": domain}], DOMAINS, key_version=version)
    return masker.mask(table, made, KEYS).column("c").combine_chunks()


def opened(domain: str, array: Any) -> list[str]:
    """The domains that are opened where the policy has this one for the column."""
    batch = pa.record_batch({"c": array})
    made = masker.plan(batch.schema, [{"column": "c", "domain": domain}], DOMAINS, direction="unmask", masked_version=2)
    return unmasked_domains(made, KEYS, batch)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("under", ["strict", "lax", "mail"])
def test_tokens_tell_their_domain_whatever_the_column_is_said_to_hold(under: str, version: int) -> None:
    assert opened(under, masked("strict", ["a", None, "b"], version)) == ["strict"]
    assert opened(under, masked("lax", ["a"], version).dictionary_encode()) == ["lax"]
    assert opened(under, masked("mail", ["a@b"], version)) == ["mail"]


def test_where_a_value_tells_nothing_the_domain_of_the_plan_is_there_too() -> None:
    strict = masked("strict", ["a"]).to_pylist()
    assert opened("lax", [*strict, "nothing"]) == ["lax", "strict"]
    assert opened("lax", [*strict, "tok_aaaaaa" + "A" * 22]) == ["lax", "strict"]
    assert opened("lax", pa.array([None], pa.string())) == ["lax"]
    assert opened("card", masked("card", ["12345678"])) == ["card"]
    assert opened("card", masked("card", ["12345678", "1"])) == ["card"]


def test_an_address_by_halves_is_of_its_own_domain_and_of_both_halves() -> None:
    assert opened("halves", masked("halves", ["a@b"])) == ["halves", "host", "lax"]
    assert opened("lax", masked("halves", ["a@b"])) == ["host", "lax"]


def test_tokens_in_json_are_found_beside_the_domains_of_the_plan() -> None:
    token = masked("strict", ["a"])[0].as_py()
    below = {"a": {"domain": "lax"}, "b": {"mask": "clear"}, "c": {"domain": "mail"}}
    rules = [{"column": "c", "mask": "json", "paths": below}]
    batch = pa.record_batch({"c": [json.dumps({"a": token, "b": "x"})]})
    made = masker.plan(batch.schema, rules, DOMAINS, direction="unmask")
    assert unmasked_domains(made, KEYS, batch) == ["lax", "mail", "strict"]
    assert planned_domains(made) == ["lax", "mail"]
    records = Rows.of_records([json.dumps({"a": token})])
    of_records = masker.plan_records([{"column": "a", "domain": "lax"}], DOMAINS, direction="unmask")
    assert unmasked_domains(of_records, KEYS, records.batch) == ["lax", "strict"]


def test_what_is_not_reversed_opens_nothing() -> None:
    batch = pa.record_batch({"a": masked("strict", ["a"]), "c": masked("lax", ["a"])})
    made = masker.plan(
        batch.schema, [{"column": "a", "mask": "clear"}, {"column": "c", "domain": "lax"}], DOMAINS, direction="unmask"
    )
    assert unmasked_domains(made, KEYS, batch) == planned_domains(made) == ["lax"]
