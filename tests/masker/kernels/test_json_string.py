import itertools
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import json_string
from masker.kernels.column import text_from
from tests.masker import naive_json
from tests.masker.columns import COLUMNS, back, column

ANY = st.text(st.characters(), max_size=12)
"""Texts with halves of surrogate pairs, too."""


def read(texts, *, ascii_):
    spelt = [None if each is None else json.dumps(each, ensure_ascii=ascii_)[1:-1] for each in texts]
    held = text_from([None if each is None else each.encode("utf-8", "surrogatepass") for each in spelt])
    escaped = np.array([each is not None and "\\" in each for each in spelt], np.bool_)
    return json_string.texts(held.data, held.offsets[:-1], held.offsets[1:], held.valid, escaped)


@given(st.lists(st.none() | ANY, max_size=10), st.booleans())
def test_texts_are_read_as_the_twin_reads_them(texts, ascii_):
    made, halves = read(texts, ascii_=ascii_)
    whole = [None if each is None else naive_json.string(json.dumps(each)[1:-1]) for each in texts]
    for row, each in enumerate(whole):
        assert bool(made.valid[row]) == (each is not None)
        if each is not None:
            assert made.value(row) == each.encode("utf-8", "surrogatepass")
            is_half = any("\ud800" <= one <= "\udfff" for one in each)
            assert bool(halves[row]) == is_half or not ascii_


@given(COLUMNS | st.lists(st.none() | st.text(st.characters(max_codepoint=127), max_size=9), max_size=9))
def test_texts_are_written_as_the_twin_writes_them(texts):
    data, places = json_string.written(column(texts), np.zeros(len(texts), np.uint8))
    made = [data[low:high].tobytes().decode() for low, high in itertools.pairwise(places)]
    assert made == [naive_json.written(each) for each in texts]


def test_a_number_is_written_as_it_is():
    data, places = json_string.written(column(["1.5", None, "2"]), np.array([1, 1, 0], np.uint8) * json_string.NUMBER)
    assert data.tobytes() == b'1.5null"2"'
    assert places.tolist() == [0, 3, 7, 10]


@given(st.lists(st.integers(-(10**20), 10**20).map(str) | st.decimals(-1000, 1000, places=4).map(str), max_size=10))
def test_numbers_are_as_short_as_they_can_be(texts):
    held = column(texts)
    until, fractions = np.zeros(len(texts), np.int64), np.array(["." in each for each in texts], np.bool_)
    json_string.shortest(held.data, held.offsets[1:], fractions, held.valid, until)
    made = [held.data[low:high].tobytes().decode() for low, high in zip(held.offsets[:-1], until, strict=True)]
    assert made == [each.rstrip("0").rstrip(".") if "." in each else each for each in texts]


def test_a_document_keeps_all_but_its_spans():
    documents = column([' {"a" : 1 , "b":"x"}\r\n', None, "[]", '{"b":""}'])
    spans = np.array([[0, 0, 8, 9], [0, 1, 16, 19], [3, 1, 5, 7]], np.int64) + np.array([0, 0, 0, 0])
    spans[2, 2:] += documents.offsets[3]
    parts, lengths = np.frombuffer(b'null"yy"7', np.uint8), np.array([4, 4, 1], np.int64)
    grown = np.array([3 + 1, 0, 0, -1])
    into = np.concatenate([[0], np.cumsum(np.diff(documents.offsets) + grown)]).astype(np.int64)
    output = np.zeros(int(into[-1]), np.uint8)
    places = np.array([0, 4, 8], np.int64)
    json_string.splice(documents.data, documents.offsets, documents.valid, spans, parts, places, lengths, output, into)
    made = json_string.Text(output, into, documents.valid)
    assert back(made) == [' {"a" : null , "b":"yy"}\r\n', None, "[]", '{"b":7}']
