import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import json_scan
from masker.kernels.column import text_from
from masker.spans import DEPTH, PathTree, spans
from tests.masker import naive_json

KINDS = {name: getattr(json_scan, name.upper()) for name in (
    "plain", "escaped", "integer", "fraction", "exponent", "truth", "null"
)}  # fmt: skip
KEYS = st.sampled_from(["a", "b", "ab", "é", "", 'q"', "\ud800"]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.builds(
    lambda value, ascii_, indent, style: naive_json.spelt(
        json.dumps(value, ensure_ascii=ascii_, indent=indent), itertools.cycle(style)
    ),
    JSON, st.booleans(), st.sampled_from([None, 0, 1, "\t"]), st.lists(st.sampled_from("xX"), min_size=1, max_size=5),
)  # fmt: skip
BROKEN = [
    "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{1:1}",
    "'a'", '"', '"\\', '"\\"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\n"', '"\x00"', "01", "1.", ".5", "-", "+1", "1e",
    "1e+", "--1", "NaN", "Infinity", "-Infinity", "nul", "nulll", "tru", "falsee", "1 2", "[] []", "{} x", "[1 2]",
    '{"a":1 "b":2}', "[}", "{]", "[1}", '{"a":1]', "\ufeff1", "\u00a01", "/**/1", "1//", "[1,,2]", "1:2",
    '{"a":1,,"b":2}', '{"a"::1}',
]  # fmt: skip


DEEPEST = "[" * (DEPTH + 1) + "]" * (DEPTH + 1)


def scanned(texts, paths, *, once=(), covers=False):
    documents = text_from([None if text is None else text.encode("utf-8", "surrogatepass") for text in texts])
    return spans(documents, PathTree(paths, once), np.ones(len(paths), np.bool_), covers=covers)


def found(text, paths):
    """Each leaf of one document at these paths, with what stands there; None where it is not JSON."""
    made = scanned([text], paths)
    if made.problems[0]:
        assert made.problems[0] == json_scan.NOT_JSON
        return None
    data = made.documents.data
    return [
        (paths[leaf], int(kind), data[start:stop].tobytes().decode("utf-8", "surrogatepass"))
        for (_, leaf, start, stop), kind in zip(made.where, made.kinds, strict=True)
    ]


def wanted(text, paths):
    leaves = naive_json.leaves(text)
    return leaves and [(path, KINDS[kind], text[start:stop]) for path, kind, start, stop in leaves if path in paths]


@given(TEXTS, st.data())
def test_spans_equal_the_twin(text, data):
    everywhere = list(dict.fromkeys(path for path, *_ in naive_json.leaves(text)))
    paths = data.draw(st.lists(st.sampled_from(everywhere), unique=True)) if everywhere else []
    assert found(text, paths) == (wanted(text, paths) or [])


@given(TEXTS, st.data())
def test_what_is_json_is_as_python_says(text, data):
    at, more = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from('{}[]",:\\u01.e-+ \ntfn\x00é'))
    for changed in (text[:at] + more + text[at:], text[:at] + text[at + 1 :], text[:at]):
        leaves = naive_json.leaves(changed)
        made = found(changed, [path for path, *_ in leaves or ()] and list({path: 0 for path, *_ in leaves}))
        assert (made is None) == (leaves is None)


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_not_json_is_found(text):
    assert found(text, [("a",)]) is None
    assert found(f'{{"a":{text}}}', [("a",)]) is None or not text.strip("1 ")


def test_a_key_is_the_same_however_it_is_spelt():
    for text in ('{"ä\\n": 1}', r'{"\u00e4\n": 1}', r'{"\u00E4\u000a": 1}', r'{"ä\u000A": 1}'):
        assert found(text, [("ä\n",)]) == [(("ä\n",), json_scan.INTEGER, "1")]
    assert found(r'{"\ud83d\ude00": 1, "\ud83d": 2}', [("😀",)]) == [(("😀",), json_scan.INTEGER, "1")]


def test_every_value_of_a_key_that_stands_twice_is_found_or_the_document_has_a_problem():
    text = r'{"a": 1, "\u0061": "x", "b": {"a": 2}}'
    assert [value for *_, value in found(text, [("a",), ("b", "a")])] == ["1", "x", "2"]
    assert scanned([text], [("a",)], once=[("a",)]).problems.tolist() == [json_scan.TWICE]
    assert scanned(['[{"a":1},{"a":1}]'], [(None, "a")], once=[(None, "a")]).problems.tolist() == [0]


def test_a_value_that_no_path_covers_is_a_problem_unless_it_is_null_above_one():
    texts = [
        '{"a": {"b": 1}}',
        '{"a": null}',
        '{"a": 1}',
        '{"c": null}',
        '{"c": {}, "d": []}',
        None,
        "null",
        '{"a": [1]}',
    ]
    made = scanned(texts, [("a", "b")], covers=True)
    assert (made.problems == json_scan.UNCOVERED).tolist() == [False, False, True, True, False, False, True, True]


def test_depth_ends_where_paths_end():
    assert scanned([DEEPEST, f"[{DEEPEST}]"], [("a",)]).problems.tolist() == [0, json_scan.DEEP]


def test_rows_keep_their_places():
    made = scanned(['{"a": 1}', None, " [1]\r\n", '{"a": "x"}', '{"a"'], [("a",)])
    assert made.where[:, 0].tolist() == [0, 3]
    assert made.problems.tolist() == [0, 0, 0, 0, json_scan.NOT_JSON]
