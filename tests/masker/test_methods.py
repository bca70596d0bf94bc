import datetime as dt
import decimal

import pyarrow as pa
import pytest

import masker
from masker import parameter
from masker.context import Context, KeySchedules
from masker.fit import is_keyed
from masker.kernels.column import text_from
from masker.methods import METHODS, Takes
from masker.spec import KEEP, Spec
from tests.masker.conftest import ring

TYPES = {
    "text": pa.string(),
    "binary": pa.binary(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(9, 2),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "time": pa.time32("s"),
    "null": pa.null(),
}
VALUES = {
    "binary": b"x",
    "integer": 5,
    "decimal": decimal.Decimal("5.25"),
    "float": 5.5,
    "bool": True,
    "date": dt.date(2000, 1, 2),
    "timestamp": dt.datetime(2000, 1, 2, 3),  # noqa: DTZ001 - a column without a time zone
    "time": dt.time(1),
    "null": None,
}
TEXTS = {"fpe": "1234567", "email": "a@b", "json": "{}", "generalize.network": "192.0.2.1"}
FORMATS = {"date": ("20000102", "%Y%m%d"), "number": ("5", "number")}


def names(**facts):
    return {name for name, method in METHODS.items() if all(getattr(method, f) == v for f, v in facts.items())}


def test_the_counted_masks_are_exactly_the_keyed_ones():
    assert names(counted=True) == names(keyed=True) == {"token", "fpe", "pseudonym", "email", "date_shift"}
    assert {name for name in METHODS if is_keyed(Spec(name))} == names(keyed=True)


def test_what_can_be_reversed_is_counted_and_the_rest_of_the_counted_goes_one_way():
    assert names(reversible=True) - names(counted=True) == {"json"}  # whose leaves count by their own masks
    assert names(counted=True, reversible=False) == {"pseudonym", "date_shift"}
    assert names(unverified=True) == {"fpe"}


def test_every_mask_that_a_policy_can_name_has_a_method_and_parameters():
    assert set(parameter.DOMAIN) == names(keyed=True)
    assert set(parameter.FREE) == {name.partition(".")[0] for name in names(keyed=False)} - {KEEP.mask}
    assert set(parameter.ENTRY) | set(parameter.PROBLEMS) <= set(parameter.DOMAIN) | set(parameter.FREE)


def test_a_method_runs_on_plain_values_unless_its_arrays_or_documents_are_taken_whole():
    context = Context(KeySchedules(None), 0)
    whole = names(takes=Takes.NOTHING) | names(takes=Takes.ARRAYS) | names(takes=Takes.DOCUMENTS)
    assert whole == {"nullify", "clear", "keep", "json"}
    for name in whole:
        with pytest.raises(TypeError):
            METHODS[name].run(Spec(name), text_from([b"secret"]), context)
    for name in names(reversible=False) | {"json"}:
        with pytest.raises(TypeError):
            METHODS[name].reverse(Spec(name), text_from([b"secret"]), context)


def declared(name, kind):
    """A rule and its domain, which plan the method on a column of this kind."""
    method, (mask, _, to) = METHODS[name], name.partition(".")
    said = {"mask": mask} | ({"to": to} if to else {}) | dict(method.example.params if method.example else {})
    said |= {"paths": {"a": {"mask": "clear"}}} if mask == "json" else {}
    said |= {"step": 2, "least": None} if name == "generalize.round" else {}
    said = {key: value for key, value in said.items() if value is not None}
    if name == "generalize.clamp":
        said["most"] = 3
    rule = {"domain": "d"} if method.keyed else said
    rule = rule | ({"format": FORMATS[method.format][1]} if method.format and kind == "text" else {})
    return rule | ({"entity": "who"} if mask == "date_shift" else {}), {"d": said} if method.keyed else {}


def value(name, kind):
    if kind != "text":
        return VALUES[kind]
    return FORMATS[METHODS[name].format][0] if METHODS[name].format else TEXTS.get(name, "0000")


@pytest.mark.parametrize("name", sorted(set(METHODS) - {KEEP.mask}))
def test_every_method_takes_its_kinds_and_no_other_and_makes_the_type_it_says(name):
    types = {"same": lambda given: given, "text": lambda _: pa.string(), "number": lambda _: pa.int32()}
    for kind, data_type in TYPES.items():
        rule, domains = declared(name, kind)
        table = pa.table({"c": pa.array([value(name, kind), None], data_type), "who": ["x", "y"]})
        rules = [{"column": "c", **rule}, {"column": "who", "mask": "clear"}]
        if kind not in METHODS[name].outputs and kind != "null":
            with pytest.raises(masker.PlanRefused, match=r"does not take|format"):
                masker.plan(table.schema, rules, domains, key_version=1)
            continue
        made = masker.mask(table, masker.plan(table.schema, rules, domains, key_version=1), ring("active"))
        shape = METHODS[name].outputs.get(kind, "same")
        assert made["c"].type == (data_type if kind == "null" else types[shape](data_type))
        assert (made["c"][0].as_py() is None) == (kind == "null" or name == "nullify")
        assert made["c"][1].as_py() is None
