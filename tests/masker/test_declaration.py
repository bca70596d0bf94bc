import pyarrow as pa
import pytest

from masker import PlanRefused
from masker.declaration import SpecRefused, domain_spec, rule_spec
from masker.plan import plan
from tests.masker.test_plan import DOMAINS

BAD_DOMAINS = [
    {"mask": "clear"},
    {"mask": "token", "kind": "Cus"},
    {"mask": "token", "kind": "a_b"},
    {"mask": "token", "kind": "a" * 13},
    {"mask": "token", "canonical": ["lower", "upper"]},
    {"mask": "token", "canonical": ["nope"]},
    {"mask": "token", "unfit": "null"},
    {"mask": "fpe"},
    {"mask": "fpe", "alphabet": "0"},
    {"mask": "fpe", "alphabet": "00123"},
    {"mask": "fpe", "alphabet": "012\u212b"},
    {"mask": "fpe", "alphabet": ["01", "2"]},
    {"mask": "fpe", "alphabet": "0123456789", "separators": "x"},
    {"mask": "fpe", "alphabet": "0123456789-"},
    {"mask": "fpe", "alphabet": "0123_", "on_short": "token"},
    {"mask": "fpe", "alphabet": "0123456789", "luhn": "valid", "keep_suffix": 4},
    {"mask": "fpe", "alphabet": "9876543210", "luhn": "valid"},
    {"mask": "fpe", "alphabet": "0123456789", "luhn": True},
    {"mask": "fpe", "alphabet": "0123456789", "aes": 512},
    {"mask": "fpe", "alphabet": "0123456789", "on_short": "pass"},
    {"mask": "fpe", "alphabet": "0123456789", "keep_prefix": 64, "keep_suffix": 64},
    {"mask": "date_shift"},
    {"mask": "date_shift", "days": 0},
    {"mask": "date_shift", "days": 1, "weeks": 1},
    {"mask": "email", "local": "customer"},
    {"mask": "email", "local": "customer", "host": "nope"},
    {"mask": "pseudonym", "kind": "x"},
    "token",
]


@pytest.mark.parametrize("declaration", BAD_DOMAINS, ids=str)
def test_a_wrong_domain_is_refused(declaration):
    with pytest.raises(PlanRefused) as caught:
        plan(
            pa.schema([("c", pa.string())]),
            [{"column": "c", "rule": "r", "domain": "bad"}],
            DOMAINS | {"bad": declaration},
            key_version=1,
        )
    assert (caught.value.column, caught.value.rule) == ("c", "r")


def test_equal_declarations_are_equal_specs_with_every_default_filled_in():
    short = domain_spec("d", {"mask": "token"}, {})
    assert short == domain_spec("d", {"kind": "tok", "canonical": [], "mask": "token"}, {})
    assert (short["kind"], short["canonical"], short.method) == ("tok", (), "token")
    assert short != domain_spec("e", {"mask": "token"}, {})
    assert rule_spec({"mask": "partial"}, {}) == rule_spec({"mask": "partial", "keep_first": 0, "character": "*"}, {})


def test_a_generalisation_has_a_method_of_its_own():
    assert rule_spec({"mask": "generalize", "to": "year"}, {}).method == "generalize.year"
    assert rule_spec({"mask": "nullify"}, {}).method == "nullify"


def test_the_halves_of_an_address_are_specs_of_their_domains():
    domains = {"l": {"mask": "token", "kind": "loc"}, "h": {"mask": "token"}}
    made = domain_spec("m", {"mask": "email", "local": "l", "host": "h"}, domains)
    assert [(path, spec.domain, spec["kind"]) for path, _, spec in made.children] == [
        ("local", "l", "loc"),
        ("host", "h", "tok"),
    ]


def test_json_holds_the_specs_of_its_paths_with_their_rules():
    rule = {"mask": "json", "paths": {"b": {"domain": "customer", "rule": "r"}, "a": {"mask": "clear"}}}
    made = rule_spec(rule, DOMAINS)
    assert [(path, name, spec.mask) for path, name, spec in made.children] == [("a", "", "clear"), ("b", "r", "token")]
    assert made.params == ()


REFUSED = [
    ({}, "a domain or a mask"),
    ({"mask": "clear", "domain": "customer"}, "a domain or a mask"),
    ({"mask": "hash"}, "unknown"),
    ({"mask": "keep"}, "unknown"),
    ({"mask": "token"}, "mask token needs a key"),
    ({"domain": "nope"}, "not declared"),
    ({"domain": ["customer"]}, "not declared"),
    ({"domain": "customer", "kind": "x"}, "a rule of domain customer does not take 'kind'"),
    ({"domain": "visit"}, "entity is missing or wrong"),
    ({"mask": "redact", "txet": "x"}, "mask redact does not take 'txet'"),
    ({"mask": "redact", "text": 5}, "text is missing or wrong"),
    ({"mask": "generalize", "to": "bucket"}, "to bucket needs edges"),
    ({"mask": "generalize", "to": "year", "edges": [1]}, "nothing else takes it"),
    ({"mask": "generalize", "to": "clamp"}, "needs least or most"),
    ({"mask": "generalize", "to": "clamp", "least": 2, "most": 1}, "least is above most"),
    ({"mask": "json", "paths": {"a": "clear"}}, "every path of json maps to a mask"),
    ({"mask": "json", "paths": {"a": {"mask": "json", "paths": {"b": {"mask": "clear"}}}}}, "cannot stand in another"),
]


@pytest.mark.parametrize(("rule", "sentence"), REFUSED, ids=[str(case[0]) for case in REFUSED])
def test_a_refusal_says_what_to_change(rule, sentence):
    with pytest.raises(SpecRefused, match=sentence):
        rule_spec(rule, DOMAINS)
