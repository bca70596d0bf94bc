import json

import pyarrow as pa
import pytest

import masker
from masker import MaskPlan, PlanRefused
from masker import path as paths
from masker.plan import plan

DOMAINS = {
    "customer": {"mask": "token", "kind": "cus"},
    "other": {"mask": "token"},
    "card": {"mask": "fpe", "alphabet": "0123456789"},
    "visit": {"mask": "date_shift", "days": 30},
    "mail": {"mask": "email"},
}
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("name", pa.string()),
        ("born", pa.date32()),
        ("price", pa.float64()),
        ("flag", pa.bool_()),
        ("address", pa.struct([("zip", pa.string()), ("emails", pa.list_(pa.string()))])),
    ]
)
WHOLE = [
    {"column": "id", "rule": "r.id", "domain": "customer"},
    {"column": "name", "rule": "r.name", "mask": "redact"},
    {"column": "born", "rule": "r.born", "domain": "visit", "entity": "id"},
    {"column": "price", "rule": "r.price", "mask": "generalize", "to": "round", "step": 10},
    {"column": "flag", "rule": "r.flag", "mask": "clear"},
    {"column": "address.zip", "rule": "r.zip", "mask": "generalize", "to": "zip3"},
    {"column": "address.emails[]", "rule": "r.mail", "domain": "mail"},
]


def changed(column, **rule):
    return [mask for mask in WHOLE if mask["column"] != column] + [{"column": column, "rule": "the.rule", **rule}]


def test_a_whole_plan_knows_the_whole_output_schema():
    made = plan(SCHEMA, WHOLE, DOMAINS, key_version=3, policy_revision="rev", table="crm", subject="agent:a")
    out = made.output_schema
    assert out.names == SCHEMA.names
    assert (out.field("id").type, out.field("born").type, out.field("flag").type) == (
        pa.string(),
        pa.date32(),
        pa.bool_(),
    )
    assert not out.field("id").nullable
    assert out.field("id").metadata == {
        b"placet.mask": b"token",
        b"placet.domain": b"customer",
        b"placet.key_version": b"3",
        b"placet.input_type": b"int64",
        b"placet.policy_revision": b"rev",
    }
    assert [leaf.column for leaf in made.leaves] == [
        "id",
        "name",
        "born",
        "price",
        "flag",
        "address.zip",
        "address.emails[]",
    ]
    assert out.field("address").type.field("zip").metadata[b"placet.mask"] == b"generalize"


def test_a_plan_survives_json_and_holds_no_key(keys):
    made = plan(SCHEMA, WHOLE, DOMAINS, key_version=1, table="crm", subject="agent:a", expires_at=1.5)
    again = MaskPlan.from_json(made.to_json())
    assert again == made
    assert json.loads(made.to_json())["columns"][0]["mask"] == "token"
    assert keys.versions[1].secret.hex() not in made.to_json()


def test_equal_plans_have_one_hash_whichever_revision_time_and_order():
    made = plan(SCHEMA, WHOLE, DOMAINS, key_version=1, policy_revision="a", table="crm", expires_at=1.5)
    more = {**DOMAINS, "unused": {"mask": "token"}}
    again = plan(SCHEMA, WHOLE[::-1], more, key_version=1, policy_revision="b", table="crm")
    assert made.sha256() == again.sha256() == MaskPlan.from_json(again.to_json()).sha256()
    assert len(made.sha256()) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"masks": changed("name", mask="clear")},
        {"domains": {**DOMAINS, "customer": {"mask": "token", "kind": "other"}}},
        {"key_version": 2},
        {"table": "other"},
        {"subject": "agent:b"},
    ],
)
def test_another_plan_has_another_hash(changes):
    about = {"masks": WHOLE, "domains": DOMAINS, "key_version": 1, "table": "crm"}
    assert plan(SCHEMA, **about).sha256() != plan(SCHEMA, **{**about, **changes}).sha256()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "schema": "AAAA", "masks": [], "domains": {}}']
)
def test_a_broken_plan_is_refused(text):
    with pytest.raises(PlanRefused):
        MaskPlan.from_json(text)


REFUSED = [
    ("unknown column", [*WHOLE, {"column": "nope", "rule": "the.rule", "mask": "clear"}], "nope"),
    (
        "column in a list without []",
        [
            *changed("address.emails[]", mask="redact"),
            {"column": "address.emails", "rule": "the.rule", "mask": "redact"},
        ],
        "address.emails",
    ),
    ("uncovered column", [mask for mask in WHOLE if mask["column"] != "flag"], "flag"),
    ("uncovered leaf", [mask for mask in WHOLE if mask["column"] != "address.zip"], "address.zip"),
    ("two masks", [*WHOLE, {"column": "name", "rule": "the.rule", "mask": "clear"}], "name"),
    (
        "two masks by nesting",
        [*WHOLE, {"column": "address", "rule": "the.rule", "mask": "clear"}],
        "address.zip",
    ),
    (
        "two parameters",
        [*WHOLE, {"column": "name", "rule": "the.rule", "mask": "redact", "text": "x"}],
        "name",
    ),
    ("undeclared domain", changed("id", domain="nope"), "id"),
    ("unknown mask", changed("id", mask="hash"), "id"),
    ("keyed mask without domain", changed("id", mask="token"), "id"),
    ("mask and domain", changed("id", mask="clear", domain="customer"), "id"),
    ("neither", changed("id"), "id"),
    ("repeats the domain", changed("id", domain="customer", kind="x"), "id"),
    ("unknown parameter", changed("name", mask="redact", txet="x"), "name"),
    ("wrong parameter", changed("name", mask="partial", keep_first="2"), "name"),
    ("bool for a number", changed("name", mask="partial", keep_first=True), "name"),
    ("fpe of integers", changed("id", domain="card"), "id"),
    ("token of floats", changed("price", domain="customer"), "price"),
    ("token of bool", changed("flag", domain="customer"), "flag"),
    ("partial of integers", changed("id", mask="partial"), "id"),
    ("generalize without to", changed("price", mask="generalize"), "price"),
    ("generalize without step", changed("price", mask="generalize", to="round"), "price"),
    ("buckets out of order", changed("price", mask="generalize", to="bucket", edges=[2, 1]), "price"),
    ("step of a fraction for integers", changed("id", mask="generalize", to="round", step=0.5), "id"),
    ("year of a number", changed("id", mask="generalize", to="year"), "id"),
    ("a text date without format", changed("name", mask="generalize", to="year"), "name"),
    ("a number format for dates", changed("name", mask="generalize", to="year", format="number"), "name"),
    ("shift without entity", changed("born", domain="visit"), "born"),
    ("shift of an unknown entity", changed("born", domain="visit", entity="nope"), "born"),
    ("shift by a list", changed("born", domain="visit", entity="address.emails[]"), "born"),
    (
        "redact of a struct",
        [mask for mask in WHOLE if "address" not in mask["column"]]
        + [{"column": "address", "rule": "the.rule", "mask": "redact"}],
        "address",
    ),
    ("json without paths", changed("name", mask="json"), "name"),
    ("json path in other writing", changed("name", mask="json", paths={"a..b": {"mask": "clear"}}), "name"),
    ("json mask unknown", changed("name", mask="json", paths={"a": {"mask": "hash"}}), "name"),
]


@pytest.mark.parametrize(("rules", "column"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_does_not_fit_is_refused_by_column_and_rule(rules, column):
    with pytest.raises(PlanRefused) as caught:
        plan(SCHEMA, rules, DOMAINS, key_version=1)
    assert caught.value.column == column
    assert "the.rule" in caught.value.rule or not any(rule["rule"] == "the.rule" for rule in rules)


def test_equal_masks_of_two_rules_are_one():
    rules = [*WHOLE, {"column": "id", "rule": "second", "reason": "another", "domain": "customer"}]
    made = plan(SCHEMA, rules, DOMAINS, key_version=1)
    assert made.leaves[0].rule == "r.id, second"


def test_a_key_version_is_needed_where_a_key_is():
    with pytest.raises(PlanRefused, match="key version"):
        plan(SCHEMA, WHOLE, DOMAINS)
    assert plan(pa.schema([("c", pa.string())]), [{"column": "c", "mask": "clear"}]).key_version == 0


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(PlanRefused, match="same name"):
        plan(pa.schema([("c", pa.string()), ("c", pa.string())]), [{"column": "c", "mask": "clear"}])


@pytest.mark.parametrize("name", ["a.b", "card no", "", '"', "a[]", "ünïcode", "x\ny", "["])
def test_columns_of_any_name_work(name):
    schema = pa.schema([(name, pa.string())])
    for written in {name, paths.render((name,))}:
        assert plan(schema, [{"column": written, "mask": "clear"}]).leaves[0].path == (name,)
    assert paths.parse(paths.render((name, None, name))) == (name, None, name)


def test_an_expired_plan_masks_nothing():
    made = plan(pa.schema([("c", pa.string())]), [{"column": "c", "mask": "clear"}], expires_at=100.0)
    masker.Masker(made, now=99.0)
    with pytest.raises(PlanRefused, match="expired"):
        masker.Masker(made, now=100.0)


def test_a_plan_runs_only_in_its_direction_and_on_its_columns(keys):
    made = plan(pa.schema([("c", pa.string())]), [{"column": "c", "mask": "clear"}])
    with pytest.raises(PlanRefused):
        masker.unmask(pa.table({"c": ["x"]}), made, keys)
    with pytest.raises(PlanRefused):
        masker.mask(pa.table({"d": ["x"]}), made)
    with pytest.raises(PlanRefused):
        masker.mask(pa.table({"c": [1]}), made)


def test_the_keys_of_a_map_cannot_become_null():
    schema = pa.schema([("m", pa.map_(pa.string(), pa.int64()))])
    with pytest.raises(PlanRefused, match=r"^column m\[\]\.key, rule r: the keys of a map cannot become null"):
        plan(schema, [{"column": "m", "rule": "r", "mask": "nullify"}])
