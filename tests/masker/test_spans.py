import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.path import ITEM
from masker.spans import PathTree, spans
from tests.masker import naive_json
from tests.masker.columns import back, column
from tests.masker.kernels.test_json_scan import TEXTS

PATHS = st.lists(st.lists(st.sampled_from(["a", "b", "", ITEM]), min_size=1, max_size=4).map(tuple), unique=True)


@given(PATHS, st.lists(TEXTS, max_size=4))
def test_paths_that_begin_alike_are_told_apart(paths, texts):
    texts = [each for each in texts if each.isprintable()]
    made = spans(column(texts), PathTree(paths), np.ones(len(paths), np.bool_), covers=False)
    wanted = [(row, path) for row, text in enumerate(texts) for path, *_ in naive_json.leaves(text) if path in paths]
    assert [(row, paths[leaf]) for row, leaf, *_ in made.where.tolist()] == wanted


def test_only_what_is_wanted_is_noted():
    made = spans(column(['{"a":1,"b":2}']), PathTree([("a",), ("b",)]), np.array([False, True]), covers=True)
    assert made.where.tolist() == [[0, 1, 11, 12]]
    assert made.problems.tolist() == [0]


def test_others_stand_in_the_place_of_values_and_of_their_marks():
    found = spans(column(['{"a": "x"}', None, '{"a": 7}']), PathTree([("a",)]), np.ones(1, np.bool_), covers=True)
    made = found.replaced(np.frombuffer(b'"long"1', np.uint8), np.array([0, 6]), np.array([6, 1]))
    assert back(made) == ['{"a": "long"}', None, '{"a": 1}']


@pytest.mark.parametrize("texts", [[], [None], [None, None]])
def test_no_document_has_no_span(texts):
    found = spans(column(texts), PathTree([("a",)]), np.ones(1, np.bool_), covers=True)
    assert len(found.where) == 0
    none = np.zeros(0, np.int64)
    assert back(found.replaced(np.zeros(0, np.uint8), none, none)) == texts
