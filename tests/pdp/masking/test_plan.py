"""The policy's masks as a plan, and what a plan says of itself: to callers, to the log, of its domains."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

import masker
from masker import keys as key_files
from pdp.errors import KeyRefused, MaskPlanRefused
from pdp.masking.plan import PLAN_SECONDS, columns, compiled, facts, masks, reversed_columns, rules, used_domains
from pdp.masking.question import Selection
from pdp.masking.rows import Shape

DOMAINS = {"customer": {"mask": "token", "kind": "cus"}, "mail": {"mask": "email"}, "unused": {"mask": "token"}}
SCHEMA = pa.schema([("id", pa.string()), ("note", pa.string()), ("mail", pa.string())])
MASKS: tuple[dict[str, Any], ...] = (
    {"column": "id", "rule": "r.id", "domain": "customer"},
    {"column": "note", "rule": "r.note, r.other", "mask": "redact"},
    {"column": "mail", "rule": "r.mail", "domain": "mail"},
)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> masker.Keyring:
    path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "dev", now=datetime.now(UTC))
    return masker.Keyring.load(path)


def made(keyring: masker.Keyring, shape: Shape | None = None, **options: Any) -> masker.MaskPlan:
    selected = Selection(options.pop("masks", MASKS), DOMAINS, {"agent:bot": "agent:bot"}, "r1")
    members = {"direction": "mask", "table_name": "crm.customers", "subject": "agent:bot", **options}
    return compiled(shape or Shape(SCHEMA), selected, keyring, **members)


def test_plan_names_its_table_subject_and_revision_and_ends(keyring: masker.Keyring) -> None:
    plan = made(keyring)
    assert (plan.table, plan.subject, plan.policy_revision) == ("crm.customers", "agent:bot", "r1")
    assert plan.key_version == keyring.active
    assert 0 < PLAN_SECONDS <= 3600
    assert masker.MaskPlan.from_json(plan.to_json()).leaves == plan.leaves


def test_caller_is_told_of_each_column_its_mask_rule_domain_and_key(keyring: masker.Keyring) -> None:
    found = list(columns(made(keyring)))
    assert [(one.column, one.mask, one.rule, one.domain, one.key_version) for one in found] == [
        ("id", "token", "r.id", "customer", 1),
        ("note", "redact", "r.note, r.other", "", 0),
        ("mail", "email", "r.mail", "mail", 1),
    ]
    assert [(one.input_type, one.output_type) for one in found] == [("string", "string")] * 3


def test_log_keeps_the_same_and_every_rule_once(keyring: masker.Keyring) -> None:
    plan = made(keyring)
    assert facts(plan)[0] == {"column": "id", "rule": "r.id", "mask": "token", "domain": "customer", "key": 1}
    assert rules(plan) == ["r.id", "r.mail", "r.note", "r.other"]


def test_only_the_domains_that_are_used_are_named_as_declared(keyring: masker.Keyring) -> None:
    assert used_domains(made(keyring)) == {name: DOMAINS[name] for name in ("customer", "mail")}
    redacted = tuple({"column": name, "rule": "r", "mask": "redact"} for name in SCHEMA.names)
    assert used_domains(made(keyring, masks=redacted)) == {}


def test_records_are_described_path_by_path(keyring: masker.Keyring) -> None:
    shape = Shape.of_records(["id", "note", "mail"], "paths")
    plan = made(keyring, shape)
    assert {one.column: one.mask for one in columns(plan)} == {"id": "token", "note": "redact", "mail": "email"}
    assert used_domains(plan) == used_domains(made(keyring))
    assert rules(plan) == rules(made(keyring))


def test_reversal_reads_the_tokens_own_version(keyring: masker.Keyring) -> None:
    shape = Shape.of_records(["id"], "paths")
    [one] = columns(made(keyring, shape, masks=MASKS[:1], direction="unmask"))
    assert one.key_version == 0


@pytest.mark.parametrize("direction", ["unmask", "rewrap"])
def test_what_is_not_reversed_is_kept_in_records_as_in_tables(keyring: masker.Keyring, direction: str) -> None:
    shape = Shape.of_records(["id", "note", "mail"], "paths")
    kept = {"id": "token", "note": "keep", "mail": "email"}
    for plan in (made(keyring, direction=direction), made(keyring, shape, direction=direction)):
        assert {one.column: one.mask for one in columns(plan)} == kept
        assert {name for name, mask in kept.items() if mask != "keep"} == set(reversed_columns(plan))


def test_what_is_reversed_is_named_with_its_domains(keyring: masker.Keyring) -> None:
    paths = {"a": {"domain": "mail"}, "b": {"domain": "customer"}, "c": {"mask": "clear"}, "d": {"domain": "customer"}}
    documents = {"column": "note", "rule": "r", "mask": "json", "paths": paths}
    plan = made(keyring, masks=(MASKS[0], documents), direction="unmask")
    assert reversed_columns(plan) == {"id": "customer", "note": "customer, mail"}
    assert {each.column: each.domain for each in columns(plan)} == {
        "id": "customer",
        "note": "customer, mail",
        "mail": "",
    }


def test_masks_of_each_column_are_told_as_people_write_it(keyring: masker.Keyring) -> None:
    shape = Shape(pa.schema([("id", pa.string()), ("First Name", pa.string()), ("note", pa.string())]))
    paths = {"a": {"domain": "mail"}, "b": {"mask": "redact"}}
    written = (
        MASKS[0],
        {"column": '["First Name"]', "rule": "r", "mask": "clear"},
        {"column": "note", "rule": "r", "mask": "json", "paths": paths},
    )
    done = {"id": ["token"], "First Name": ["clear"], "note": ["email", "redact"]}
    assert masks(made(keyring, shape, masks=written), shape.columns) == done
    moved = made(keyring, shape, masks=written, direction="rewrap")
    assert masks(moved, shape.columns) == done | {"First Name": ["keep"], "note": ["email", "keep"]}


def test_masks_of_records_are_those_of_their_paths(keyring: masker.Keyring) -> None:
    shape = Shape.of_records(["id", "note", "mail"], "paths")
    done = {"id": ["token"], "note": ["redact"], "mail": ["email"]}
    assert masks(made(keyring, shape), shape.columns) == done
    assert masks(made(keyring, shape, direction="rewrap"), shape.columns) == done | {"note": ["keep"]}


def test_only_some_columns_are_touched_where_asked_and_each_of_them_has_a_mask(keyring: masker.Keyring) -> None:
    plan = made(keyring, direction="unmask", only=["id"])
    assert {one.column: one.mask for one in columns(plan)}["id"] == "token"
    assert rules(plan) == ["r.id"]
    with pytest.raises(MaskPlanRefused) as refused:
        made(keyring, direction="unmask", only=["id", "x" * 1000])
    assert len(refused.value.metadata["column"]) < 300


def test_what_does_not_fit_is_refused(keyring: masker.Keyring) -> None:
    shifted = ({"column": "id", "rule": "r.id", "mask": "generalize", "to": "year"}, *MASKS[1:])
    with pytest.raises(MaskPlanRefused):
        made(keyring, masks=shifted)
    with pytest.raises((MaskPlanRefused, KeyRefused)):
        made(keyring, masks=({"column": "id", "rule": "r.id", "domain": "nowhere"}, *MASKS[1:]))
