import pyarrow as pa
import pytest

import masker
from masker import methods
from masker.context import Context, KeySchedules
from masker.declaration import domain_spec
from masker.errors import KeyRefused
from tests.masker.columns import back, column
from tests.masker.conftest import ring

DOMAINS = {
    "id": {"mask": "token", "canonical": ["trim", "lower"]},
    "mixed": {"mask": "fpe", "alphabet": "0123456789", "on_short": "token"},
    "luhn": {"mask": "fpe", "alphabet": "0123456789", "luhn": "invalid"},
    "mail": {"mask": "email"},
    "local": {"mask": "token", "kind": "loc"},
    "halves": {"mask": "email", "local": "local", "host": "id"},
}


def both(name, values):
    spec = domain_spec(name, DOMAINS[name], DOMAINS)
    context = Context(KeySchedules(ring("active")), 1)
    masked = methods.of(spec).run(spec, column(values), context)
    return masked, methods.of(spec).reverse(spec, masked.values, context)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", ["anna", "", None, "x" * 2000]),
        ("mixed", ["4111-1111", "12", "", None]),
        ("luhn", ["4111 1111 1111 1111", None]),
        ("mail", ["a@b", None]),
        ("halves", ["a@b", "@", None]),
    ],
)
def test_what_is_masked_comes_back(name, values):
    masked, opened = both(name, values)
    assert back(opened.values) == values
    assert not masked.status.any()
    assert not opened.status.any()
    assert not {each for each in back(masked.values) if each} & set(values)


def test_canonical_values_are_one_token():
    masked, opened = both("id", [" Anna ", "ANNA", "anna"])
    assert len(set(back(masked.values))) == 1
    assert back(opened.values) == ["anna"] * 3


def test_a_short_value_is_a_token_among_encrypted_ones():
    made = back(both("mixed", ["1234567", "12"])[0].values)
    assert made[0].isdecimal()
    assert made[1].startswith("tok_")


def test_the_halves_of_addresses_join_by_host():
    first, second = back(both("halves", ["anna@example.com", "bob@example.com"])[0].values)
    assert first.startswith("loc_")
    assert first.partition("@")[0] != second.partition("@")[0]
    assert first.partition("@")[2] == second.partition("@")[2]
    assert first.endswith(".masked.invalid")


@pytest.mark.parametrize("name", ["mail", "halves"])
def test_an_address_without_exactly_one_at_does_not_fit(name):
    masked, _ = both(name, ["a", "a@b@c", None, "a@b"])
    assert masked.status.tolist() == [1, 1, 0, 0]


def test_a_cipher_is_made_once_for_each_thread_and_version():
    spec = domain_spec("id", DOMAINS["id"], DOMAINS)
    schedules = KeySchedules(ring("readable", "active"))
    assert schedules.sealer(spec, 1) is schedules.sealer(spec, 1)
    assert schedules.sealer(spec, 1) is not schedules.sealer(spec, 2)
    assert len(schedules.readable(spec)) == 2


def test_without_a_keyring_a_key_is_refused():
    spec = domain_spec("id", DOMAINS["id"], DOMAINS)
    with pytest.raises(KeyRefused, match="none were given"):
        methods.of(spec).run(spec, column(["x"]), Context(KeySchedules(None), 1))


@pytest.mark.parametrize("mask", ["token", "email"])
def test_a_padded_domain_hides_how_long_a_value_is_and_opens_again(mask):
    domains, rules, keys = {"d": {"mask": mask, "pad_to": 32}}, [{"column": "c", "domain": "d"}], ring("active")
    texts = ["a@b", "ann.example@example.org", None, "x" * 40 + "@y"]
    table = pa.table({"c": texts})
    masked = masker.mask(table, masker.plan(table.schema, rules, domains, key_version=1), keys)
    tokens = masked["c"].to_pylist()
    assert [len(token) == len(tokens[0]) for token in (tokens[1], tokens[3])] == [True, False]
    for direction, run in (("unmask", masker.unmask), ("rewrap", masker.rewrap)):
        plan = masker.plan(masked.schema, rules, domains, direction=direction, key_version=1)
        assert run(masked, plan, keys)["c"].to_pylist() == (texts if direction == "unmask" else tokens)
    plan = masker.plan(masked.schema, rules, {"d": {"mask": mask}}, direction="unmask")
    with pytest.raises(masker.ValueRefused):
        masker.unmask(masked, plan, keys)
