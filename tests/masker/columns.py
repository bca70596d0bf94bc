"""Columns as kernels have them, made of Python values, and back."""

import numpy as np
from hypothesis import strategies as st

from masker.kernels.column import Fixed, text_from

WORDS = st.text(max_size=40) | st.text("aZ09 éß€😀\u0301", max_size=300)
COLUMNS = st.lists(st.none() | WORDS, max_size=20)
ASCII = st.lists(st.none() | st.text(st.characters(max_codepoint=127), max_size=40), max_size=20)


def column(values):
    return text_from([None if value is None else value.encode() for value in values])


def values(text):
    return [text.value(row) if text.valid[row] else None for row in range(len(text))]


def back(text):
    return [None if value is None else value.decode() for value in values(text)]


def fixed(numbers, dtype=np.int64):
    valid = np.array([number is not None for number in numbers], bool)
    return Fixed(np.array([number or 0 for number in numbers], dtype), valid)


def numbers(made):
    return [value if valid else None for value, valid in zip(made.values.tolist(), made.valid, strict=True)]
