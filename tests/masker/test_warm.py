import datetime as dt
import decimal
import subprocess
import sys

import pyarrow as pa
import pytest

import masker
from masker import methods, warm
from masker.arrow import schema
from masker.context import Context, KeySchedules
from masker.kernels.column import text_from
from masker.methods import METHODS
from tests.masker.conftest import ring

COUNT = """
import datetime as dt, gc, sys
import masker, pyarrow as pa
from masker import warm
from masker.arrow import schema
from masker.kept_kernels import keep_kernels
from numba.core.dispatcher import Dispatcher
from tests.masker.conftest import ring
from pdp.environment import Environment
keep_kernels(Environment.read().tool_cache)
def compiled():
    return sum(len(each.overloads) for each in gc.get_objects() if isinstance(each, Dispatcher))
def check(before):
    assert before == compiled() > 10, (before, compiled())
"""
PLAN = """
from tests.masker.test_run import DOMAINS, TWINS
values = ["a@b.de", "1234-5678"]
names = [name for name in TWINS if name not in ("zip3", "network")]
table = pa.table({name: values for name in names})
rules = [{"column": name, **TWINS[name][0]} for name in names]
ready = masker.Masker(masker.plan(table.schema, rules, DOMAINS, key_version=1), ring("active"))
ready.warm()
before = compiled()
ready.table(table)
check(before)
"""
ALL = """
warm.warm_all()
before = compiled()
types, rules, domains = warm.examples()
day = dt.date(2000, 1, 2)
values = {"int64": [1234567, None], "double": [5.5, None], "date32": [day, None]}
texts = {"fpe": "4111-1111-1111-1111-111", "email": "a@b.example", "generalize.network": "192.0.2.1"}
texts |= dict.fromkeys(("date_shift", "generalize.age"), "20000102")
def column(name, type_name):
    return values.get(type_name) or [texts.get(name.removesuffix("_string"), "text"), None]
table = pa.table({name: column(name, each) for name, each in types.items()}, schema=schema.schema_of(types))
made = masker.mask(table, masker.plan(table.schema, rules, domains, key_version=1), ring("active"))
masker.unmask(made, masker.plan(made.schema, rules, domains, direction="unmask"), ring("active"))
check(before)
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("code", [PLAN, ALL], ids=["a plan", "every method"])
def test_what_is_warm_compiles_nothing_more(code):
    done = subprocess.run([sys.executable, "-c", COUNT + code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_an_example_fits_its_method():
    types, rules, domains = warm.examples()
    plan = masker.plan(schema.schema_of(types), rules, domains, key_version=1)
    assert {leaf.spec.method for leaf in plan.leaves} == {name for name, method in METHODS.items() if method.example}
    context = Context(KeySchedules(ring("active")), 1, warm._DAYS)
    for leaf in plan.leaves:
        method = methods.of(leaf.spec)
        for text in method.example.texts(leaf.spec) if leaf.input == pa.string() else ():
            assert method.run(leaf.spec, text_from([text.encode()]), context).status.tolist() == [0], leaf.column


COLUMNS = {
    "decimals": pa.array([decimal.Decimal("1.5"), None]),
    "timestamps": pa.array([dt.datetime(2000, 1, 2, tzinfo=dt.UTC), None]),
    "dictionary": pa.array(["a", None]).dictionary_encode(),
    "documents": pa.array(['{"a": "x"}', None]),
    "bools": pa.array([True, None]),
}
RULES = [
    {"column": "decimals", "mask": "generalize", "to": "round", "step": 1},
    {"column": "timestamps", "domain": "visit", "entity": "dictionary"},
    {"column": "dictionary", "domain": "id"},
    {"column": "documents", "mask": "json", "paths": {"a": {"domain": "id"}}},
    {"column": "bools", "mask": "redact"},
]


@pytest.mark.parametrize("direction", ["mask", "unmask", "rewrap"])
def test_a_plan_of_any_types_and_direction_is_warmed(direction):
    domains = {"id": {"mask": "token"}, "visit": {"mask": "date_shift", "weeks": 2}}
    table = pa.table(COLUMNS)
    plan = masker.plan(table.schema, RULES, domains, key_version=1)
    if direction != "mask":
        plan = masker.plan(plan.output_schema, RULES, domains, key_version=1, direction=direction)
    keys = ring("active")
    ready = masker.Masker(plan, keys)
    ready.warm()
    if direction == "mask":
        assert ready.table(table).num_rows == 2
