import json

import pyarrow as pa
import pytest

from masker import PlanRefused
from masker.plan import plan
from masker.spec import KEEP

DOMAINS = {
    "id": {"mask": "token"},
    "card": {"mask": "fpe", "alphabet": "0123456789", "on_short": "null"},
    "strict": {"mask": "fpe", "alphabet": "0123456789"},
}


def masked(field, **rule):
    return plan(pa.schema([field]), [{"column": field.name, "rule": "r", **rule}], DOMAINS, key_version=3)


@pytest.mark.parametrize(
    ("rule", "nullable"),
    [
        ({"domain": "id"}, False),
        ({"domain": "strict"}, False),
        ({"domain": "card"}, True),
        ({"mask": "nullify"}, True),
        ({"mask": "generalize", "to": "zip3", "unfit": "null"}, True),
        ({"mask": "generalize", "to": "zip3"}, False),
    ],
)
def test_a_column_becomes_nullable_where_its_mask_can_make_a_null(rule, nullable):
    made = masked(pa.field("c", pa.string(), nullable=False), **rule)
    assert made.output_schema.field("c").nullable is nullable


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (pa.int16(), pa.string()),
        (pa.binary(4), pa.string()),
        (pa.large_binary(), pa.large_string()),
        (pa.binary_view(), pa.string_view()),
        (pa.dictionary(pa.int8(), pa.int64()), pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_ids_become_text_of_the_same_form_and_the_metadata_keeps_their_type(given, text):
    made = masked(pa.field("c", given), domain="id")
    field = made.output_schema.field("c")
    assert field.type == text
    back = plan(made.output_schema, [{"column": "c", "domain": "id"}], DOMAINS, direction="unmask")
    assert back.output_schema.field("c").type == given


def test_the_facts_of_json_name_the_mask_of_every_path():
    paths = {"a": {"domain": "id"}, "b": {"mask": "redact"}}
    facts = masked(pa.field("c", pa.string()), mask="json", paths=paths).output_schema.field("c").metadata
    assert json.loads(facts[b"placet.paths"]) == {
        "a": {"mask": "token", "domain": "id"},
        "b": {"mask": "redact", "domain": ""},
    }
    assert facts[b"placet.key_version"] == b"3"


def test_the_version_that_masked_is_only_kept_where_values_do_not_tell_it():
    schema = pa.schema([("id", pa.string()), ("card", pa.string()), ("other", pa.string())])
    rules = [{"column": "id", "domain": "id"}, {"column": "card", "domain": "strict"}]
    made = plan(schema, rules, DOMAINS, masked_version=2, direction="unmask")
    assert [(leaf.column, leaf.key_version) for leaf in made.leaves] == [("id", 0), ("card", 2), ("other", 0)]
    assert made.leaves[2].spec == KEEP
    unverified = [(field.metadata or {}).get(b"placet.unverified") for field in made.output_schema]
    assert unverified == [None, b"true", None]


def test_what_a_nested_column_is_given_holds_for_all_below_it():
    schema = pa.schema([("s", pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]))])
    made = plan(schema, [{"column": "s", "rule": "r", "mask": "nullify"}])
    assert [(leaf.column, leaf.spec.mask, leaf.rule) for leaf in made.leaves] == [
        ("s.a", "nullify", "r"),
        ("s.b[]", "nullify", "r"),
    ]
    with pytest.raises(PlanRefused, match="name the columns below it"):
        plan(schema, [{"column": "s", "mask": "redact"}])


REFUSED = [
    (pa.float64(), {"domain": "id"}, "equal numbers need not be equal bytes"),
    (pa.int64(), {"domain": "card"}, "declare a zero-padded string"),
    (pa.string(), {"mask": "generalize", "to": "year"}, "a text column needs a format"),
    (pa.int8(), {"mask": "generalize", "to": "round", "step": 1000}, "outside the range of int8"),
    (pa.int8(), {"mask": "generalize", "to": "round", "step": 0.5}, "whole numbers"),
    (pa.month_day_nano_interval(), {"mask": "clear"}, "does not take"),
]


@pytest.mark.parametrize(("data_type", "rule", "sentence"), REFUSED, ids=[str(case[:2]) for case in REFUSED])
def test_a_type_that_does_not_fit_is_refused_with_advice(data_type, rule, sentence):
    with pytest.raises(PlanRefused, match=sentence):
        masked(pa.field("c", data_type), **rule)


def test_a_column_of_another_type_than_text_holds_no_tokens():
    with pytest.raises(PlanRefused, match="a column of int64 does not hold masked values"):
        plan(pa.schema([("c", pa.int64())]), [{"column": "c", "domain": "id"}], DOMAINS, direction="unmask")
