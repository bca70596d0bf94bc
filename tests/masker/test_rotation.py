import pyarrow as pa
import pytest

import masker
from masker.errors import KeyRefused, PlanRefused, ValueRefused
from tests.masker.conftest import ring

DOMAINS = {
    "id": {"mask": "token"},
    "card": {"mask": "fpe", "alphabet": "0123456789", "on_short": "token"},
    "mail": {"mask": "email"},
    "pseudo": {"mask": "pseudonym"},
}
RULES = [{"column": name, "rule": f"r.{name}", "domain": name} for name in DOMAINS]
TABLE = pa.table(
    {
        "id": pa.array([1, None, 3]),
        "card": ["4111-1111", "12", None],
        "mail": ["a@b.c", None, "d@e.f"],
        "pseudo": ["x", "y", None],
    }
)


def plan(schema, direction, key_version=0, rules=RULES, masked_version=0):
    return masker.plan(
        schema, rules, DOMAINS, key_version=key_version, masked_version=masked_version, direction=direction
    )


def masked(keys, version):
    return masker.mask(TABLE, plan(TABLE.schema, "mask", version), keys)


def test_old_tokens_open_after_rotation(rotated):
    old = masked(rotated, 1)
    opened = masker.unmask(old, plan(old.schema, "unmask"), rotated)
    for name in ("id", "card", "mail"):
        assert opened[name].to_pylist() == TABLE[name].to_pylist()
        assert opened.schema.field(name).type == TABLE.schema.field(name).type
    assert opened["pseudo"] == old["pseudo"]


def test_versions_share_no_value(rotated):
    old, new = masked(rotated, 1), masked(rotated, 2)
    for name in DOMAINS:
        assert not {v for v in old[name].to_pylist() if v} & {v for v in new[name].to_pylist() if v}


def test_rewrap_equals_masking_anew(rotated):
    old, fresh = masked(rotated, 1), masked(rotated, 2)
    moved = masker.rewrap(old, plan(old.schema, "rewrap", 2), rotated)
    for name in ("id", "card", "mail"):
        assert moved[name].to_pylist() == fresh[name].to_pylist()
        assert moved.schema.field(name).equals(fresh.schema.field(name), check_metadata=True)
    assert moved["pseudo"] == old["pseudo"]
    assert moved.schema.field("pseudo").metadata[b"placet.key_version"] == b"1"


def test_rewrap_moves_a_column_of_mixed_versions(rotated):
    old, fresh = masked(rotated, 1), masked(rotated, 2)
    mixed = pa.concat_tables([old.select(["id"]), fresh.select(["id"]).cast(old.select(["id"]).schema)])
    moved = masker.rewrap(mixed, plan(mixed.schema, "rewrap", 2, RULES[:1]), rotated)
    assert moved["id"].to_pylist() == fresh["id"].to_pylist() * 2


@pytest.mark.parametrize("direction", ["unmask", "rewrap"])
def test_one_bad_token_refuses_all(rotated, direction):
    old = masked(rotated, 1)
    token = old["id"][2].as_py()
    for bad in (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "SECRET", "", old["mail"][0].as_py()):
        table = old.select(["id"]).set_column(0, old.schema.field("id"), pa.array([old["id"][0].as_py(), None, bad]))
        with pytest.raises(ValueRefused) as caught:
            getattr(masker, direction)(table, plan(table.schema, direction, 2, RULES[:1]), rotated)
        assert (caught.value.column, caught.value.row, caught.value.rule) == ("id", 2, "r.id")
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("direction", ["unmask", "rewrap"])
def test_a_retired_version_is_refused(rotated, direction):
    old, retired = masked(rotated, 1), ring("retired", "active")
    for rules, error in ((RULES[:1], ValueRefused), (RULES[1:2], KeyRefused)):
        with pytest.raises(error):
            getattr(masker, direction)(old, plan(old.schema, direction, 2, rules), retired)


def test_fpe_needs_its_version_from_somewhere_and_only_one(rotated):
    old = masked(rotated, 1).select(["card"])
    bare = old.replace_schema_metadata().cast(pa.schema([("card", pa.string())]))
    with pytest.raises(PlanRefused, match="key version that masked"):
        plan(bare.schema, "unmask", rules=RULES[1:2])
    made = plan(bare.schema, "unmask", rules=RULES[1:2], masked_version=1)
    opened = masker.unmask(bare, made, rotated)
    assert opened["card"].to_pylist() == TABLE["card"].to_pylist()
    assert opened.schema.field("card").metadata[b"placet.unverified"] == b"true"
    with pytest.raises(PlanRefused, match="another key version"):
        plan(old.schema, "unmask", rules=RULES[1:2], masked_version=2)


def test_another_domain_than_the_metadata_says_is_refused(rotated):
    old = masked(rotated, 1)
    with pytest.raises(PlanRefused, match="another mask or domain"):
        plan(old.schema, "unmask", rules=[{"column": "id", "rule": "r", "domain": "mail"}])


def test_nothing_to_reverse_is_refused(rotated):
    old = masked(rotated, 1)
    for rules in ([], RULES[3:]):
        with pytest.raises(PlanRefused):
            plan(old.schema, "unmask", rules=rules)
    with pytest.raises(PlanRefused, match="key version"):
        plan(old.schema, "rewrap")


def test_a_cell_that_is_no_number_of_the_type_is_refused(rotated):
    words = masker.mask(
        pa.table({"id": ["SECRET"]}),
        masker.plan(pa.schema([("id", pa.string())]), RULES[:1], DOMAINS, key_version=1),
        rotated,
    )
    forged = words.cast(pa.schema([pa.field("id", pa.string(), metadata={"placet.input_type": "int64"})]))
    with pytest.raises(ValueRefused) as caught:
        masker.unmask(forged, plan(forged.schema, "unmask", rules=RULES[:1]), rotated)
    assert "SECRET" not in repr(caught.value)
    assert caught.value.__context__ is None
