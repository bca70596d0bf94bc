import datetime as dt
import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import masker
from masker import records
from masker.errors import PlanRefused, ValueRefused
from masker.kernels.column import text_from
from masker.path import render
from masker.records import COLUMN
from tests.masker import naive, naive_json
from tests.masker.conftest import ring
from tests.masker.kernels.test_json_scan import TEXTS
from tests.masker.test_run import DOMAINS, key, token

KEYS = ring("active")
RULES = [
    {"column": "id", "rule": "id", "domain": "id"},
    {"column": "name.first", "rule": "name", "mask": "redact"},
    {"column": "tags[]", "rule": "tags", "domain": "id"},
    {"column": "visits[].day", "rule": "day", "domain": "visit", "entity": "id", "format": "%Y-%m-%d"},
    {
        "column": "score",
        "rule": "score",
        "mask": "generalize",
        "to": "round",
        "step": 0.5,
        "format": "number",
    },
    {"column": '["a.b"]', "rule": "odd", "mask": "nullify"},
    {"column": "kept", "rule": "kept", "mask": "clear"},
]


def run(documents, rules=RULES, domains=DOMAINS):
    made = masker.mask(masker.record_table(documents), masker.plan_records(rules, domains, key_version=1), KEYS)
    return made[COLUMN].to_pylist()


def refused(documents, rules=RULES):
    with pytest.raises(ValueRefused) as caught:
        run(documents, rules)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value


def test_every_leaf_gets_its_mask_and_all_else_stays():
    document = (
        '{"kept": 1.50e3, "id": 42, "name": {"first": "Zoë"}, "tags": ["x", null, "42"],'
        ' "visits": [{"day": "2024-02-28"}, {}], "score": 1.30, "a.b": true, "empty": {}, "none": []}'
    )
    (made,) = run([document])
    day = naive.shift(key("visit", "date_shift"), b"42", 30, 1)
    moved = (dt.date(2024, 2, 28) + dt.timedelta(day)).isoformat()
    assert made == (
        f'{{"kept": 1.50e3, "id": "{token("id", "42")}", "name": {{"first": "[REDACTED]"}},'
        f' "tags": ["{token("id", "x")}", null, "{token("id", "42")}"], "visits": [{{"day": "{moved}"}}, {{}}],'
        ' "score": 1.5, "a.b": null, "empty": {}, "none": []}'
    )


def test_numbers_join_by_their_shortest_text():
    ids = [
        json.loads(made)["id"] for made in run(['{"id":42}', '{"id":"42"}', '{"id":42.0}', '{"id":42.5}', '{"id":-0}'])
    ]
    assert ids == [token("id", text) for text in ("42", "42", "42", "42.5", "0")]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.none() | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=3),
            max_size=3,
        ),
        max_size=6,
    )
)
def test_clear_changes_no_document(documents):
    rules = [{"column": path, "mask": "clear"} for name in "abc" for path in (name, f"{name}[]")]
    assert [json.loads(made) for made in run([json.dumps(each) for each in documents], rules)] == documents


REFUSED = [
    ('{"id":1,"other":"SECRET"}', "other"),
    ('{"id":1,"name":"SECRET"}', "name"),
    ('{"id":1,"tags":[["SECRET"]]}', "tags[][]"),
    ('{"id":1,"id":"SECRET"}', ""),
    ('{"id":SECRET}', ""),
    ('{"id":NaN}', ""),
    ('["SECRET"]', "[]"),
    ('"SECRET"', ""),
    ('{"id":true}', "id"),
    ('{"id":1e5}', "id"),
    ('{"score":"SECRET"}', "score"),
    ('{"id":1,"visits":[{"day":20240101}]}', "visits[].day"),
    ('{"id":1,"visits":[{"day":"2024-02-30"}]}', "visits[].day"),
    ('{"visits":[{"day":"2024-02-20"}]}', "visits[].day"),
    ('{"id":"\\ud800SECRET"}', "id"),
    ("[" * 100 + "]" * 100, ""),
    ("[" * 100_000, ""),
]


@pytest.mark.parametrize(("document", "path"), REFUSED, ids=[case[0][:30] for case in REFUSED])
def test_what_does_not_fit_names_path_and_record(document, path):
    error = refused(['{"id":1}', document])
    assert error.row == 1
    assert error.column == path or not path


def test_a_null_above_rules_is_no_uncovered_leaf():
    assert run(['{"name":null,"visits":null}']) == ['{"name":null,"visits":null}']
    assert refused(['{"other":null}']).column == "other"


def test_leaf_paths_are_the_union():
    documents = ['{"a":1,"b":{"c":[1,{"d":2}]}}', '{"x.y":1,"b":{"e":"f"},"n":null}']
    assert masker.leaf_paths(documents) == ['["x.y"]', "a", "b.c[]", "b.c[].d", "b.e"]
    with pytest.raises(ValueRefused) as caught:
        masker.leaf_paths(["{}", "SECRET"])
    assert caught.value.row == 1
    assert "SECRET" not in str(caught.value)


def test_records_unmask_and_rewrap():
    rules = [
        {"column": "id", "rule": "id", "domain": "id"},
        {"column": "card", "rule": "card", "domain": "digits"},
    ]
    documents = ['{"id":"x","card":"4111-1111","more":[1,{"z":"kept"}]}', "{}"]
    table = masker.record_table(documents)
    everything = [*rules, {"column": "more[]", "mask": "clear"}, {"column": "more[].z", "mask": "clear"}]
    made = masker.mask(table, masker.plan_records(everything, DOMAINS, key_version=1), KEYS)
    both = ring("readable", "active")
    moved = masker.rewrap(
        made, masker.plan_records(rules, DOMAINS, key_version=2, masked_version=1, direction="rewrap"), both
    )
    fresh = masker.mask(table, masker.plan_records(everything, DOMAINS, key_version=2), both)
    assert moved[COLUMN].to_pylist() == fresh[COLUMN].to_pylist()
    back = masker.unmask(moved, masker.plan_records(rules, DOMAINS, masked_version=2, direction="unmask"), both)
    assert [json.loads(each) for each in back[COLUMN].to_pylist()] == [json.loads(each) for each in documents]


@given(TEXTS)
def test_only_the_values_that_are_masked_change(text):
    assume(not any("\ud800" <= each <= "\udfff" for each in text))  # no Arrow text holds half of a pair as it is
    leaves = naive_json.leaves(text)
    alive = {path for path, kind, *_ in leaves if kind != "null"}
    rules = [{"column": render(path), "mask": "redact" if path[-1:] == ("a",) else "clear"} for path in alive if path]
    rules += [{"column": render(path), "mask": "clear"} for path in {path for path, *_ in leaves if path} - alive]
    rules = [rule for rule in rules if not any("\ud800" <= each <= "\udfff" for each in rule["column"])]
    wanted, at = "", 0
    for path, kind, start, stop in leaves:
        if path[-1:] == ("a",) and path in alive and kind != "null":
            mark = kind in {"plain", "escaped"}
            wanted, at = wanted + text[at : start - mark] + '"[REDACTED]"', stop + mark
    covered = {rule["column"] for rule in rules}
    if {render(path) for path, *_ in leaves} <= covered and rules:
        assert run([text], rules) == [wanted + text[at:]]


SPELT = [r'{"id": "x", "kept": 1}', r'{"\u0069d": "x", "kept": 1}', r'{"i\u0064":"\u0078" }', '\t{ "id"\n:\r"x" } ']


@pytest.mark.parametrize("document", SPELT)
def test_a_key_spelt_by_escapes_is_the_same_key(document):
    (made,) = run([document])
    assert json.loads(made)["id"] == token("id", "x")
    assert made.replace(token("id", "x"), "x") == document.replace(r"\u0078", "x")


def test_each_value_of_a_key_that_stands_twice_is_masked():
    rules = [{"column": "a", "domain": "id"}, {"column": "b", "mask": "clear"}]
    (made,) = run([r'{"a":"x","b":1,"a":"y","\u0061":null,"b":2}'], rules)
    assert made == f'{{"a":"{token("id", "x")}","b":1,"a":"{token("id", "y")}","\\u0061":null,"b":2}}'


@given(st.data())
def test_no_reader_of_a_key_that_stands_twice_finds_what_was_not_masked(data):
    """Readers take the first of two, the last, or all: whichever it is, only tokens stand there."""
    secrets = itertools.count(10**8)
    name = st.sampled_from(["a", "\\u0061", "b", "\\u0062"])

    def drawn(depth):
        kinds = ["text", "number", *(["object", "list"] if depth else [])]
        kind = data.draw(st.sampled_from(kinds))
        if kind in {"object", "list"}:
            size = range(data.draw(st.integers(0, 3)))
            return (kind, [(data.draw(name), drawn(depth - 1)) for _ in size])
        return (kind, next(secrets))

    def spelt(value):
        kind, held = value
        if kind == "object":
            return "{" + ",".join(f'"{key}":{spelt(one)}' for key, one in held) + "}"
        if kind == "list":
            return "[" + ",".join(spelt(one) for _, one in held) + "]"
        return f'"SECRET{held}"' if kind == "text" else str(held)

    document = spelt(("object", [(data.draw(name), drawn(2)) for _ in range(data.draw(st.integers(2, 4)))]))
    paths = records.leaf_paths([document])
    assume(paths)
    (made,) = run([document], [{"column": path, "domain": "id"} for path in paths])
    assert "SECRET" not in made
    assert not re.search(r"[:,\[]\d", made)
    assert sum(records.counts(text_from([document.encode()]), paths).values()) == made.count("tok_")


def test_to_unmask_a_key_that_stands_twice_is_refused():
    rules = [{"column": "a", "domain": "id"}]
    plan = masker.plan_records(rules, DOMAINS, direction="unmask")
    document = f'{{"a":"{token("id", "x")}","a":"{token("id", "y")}"}}'
    with pytest.raises(ValueRefused, match="the same key twice"):
        masker.unmask(masker.record_table([document]), plan, KEYS)


def test_a_mixed_column_is_masked_value_by_value():
    rules = [
        {"column": "a", "rule": "r", "mask": "redact"},
        {"column": "a.b", "domain": "id"},
        {"column": "a[]", "domain": "id"},
    ]
    made = run(['{"a":1}', '{"a":{"b":1.0}}', '{"a":[1,"x",null]}', '{"a":false}'], rules)
    ids = [token("id", text) for text in ("1", "1", "x")]
    assert made == [
        '{"a":"[REDACTED]"}',
        f'{{"a":{{"b":"{ids[0]}"}}}}',
        f'{{"a":["{ids[1]}","{ids[2]}",null]}}',
        '{"a":"[REDACTED]"}',
    ]


def test_values_are_counted_as_they_are_masked():
    documents = text_from([b'{"a":1,"a":"x","b":[1,null,2]}', None, b'{"a":null}', b'{"a":1', b'{"b":[3]}'])
    assert records.counts(documents, ["a", "b[]", "c"]) == {"a": 2, "b[]": 3}
    assert records.counts(documents, ["a", "b[]"], np.array([2, 1, 1, 5, 4])) == {"a": 4, "b[]": 8}


def test_a_wrong_path_is_refused_by_the_plan():
    with pytest.raises(PlanRefused):
        masker.plan_records([{"column": "a[0]", "mask": "clear"}])
    with pytest.raises(PlanRefused):
        masker.plan_records(
            [{"column": "d", "domain": "visit", "entity": "nope", "format": "%Y%m%d"}], DOMAINS, key_version=1
        )
