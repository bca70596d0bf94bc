import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import digits, fpe
from tests.masker import naive
from tests.masker.columns import back, column

FORMS = {
    "digits": fpe.Format(tuple("0123456789")),
    "letters": fpe.Format(tuple("abcdef"), ("-",)),
    "greek": fpe.Format(tuple("αβγδεζ"), ("·",)),
    "astral": fpe.Format(tuple("😀😁😂€"), (" ",)),
}


def read(values, form, limit=fpe.LIMIT):
    text = column(values)
    cells = np.zeros(int(text.offsets[-1]) + 16, form.digit_type)
    counts, status = np.zeros(len(text), np.int64), np.zeros(len(text), np.uint8)
    source = (text.data, text.offsets, text.valid, form.digit_of)
    if form.ascii_only:
        digits.read_bytes(*source, form.decimal, limit, cells, counts, status)
    else:
        digits.read_characters(*source, limit, cells, counts, status)
    return text, cells, counts, status


def written(text, cells, counts, status, form):
    output = np.zeros(int(text.offsets[-1]) * 4 + 8, np.uint8)
    places = np.zeros(len(text) + 1, np.int64)
    source = (text.data, text.offsets, text.valid, status, form.digit_of)
    if form.ascii_only:
        digits.write_bytes(*source, form.decimal, counts, cells, form.letters, output, places)
    else:
        digits.write_characters(*source, cells, *form.spelling, output, places)
    return back(type(text)(output[: places[-1]], places, text.valid & (status == 0)))


@pytest.mark.parametrize("name", FORMS)
@given(data=st.data())
def test_characters_become_digits_and_come_back_where_they_stood(name, data):
    form = FORMS[name]
    letters = st.text(st.sampled_from([*form.alphabet, *form.separators]), max_size=30)
    values = data.draw(st.lists(st.none() | letters, max_size=8))
    text, cells, counts, status = read(values, form)
    for row, value in enumerate(values):
        start = int(text.offsets[row])
        wanted = [form.alphabet.index(each) for each in value or "" if each in form.alphabet]
        assert cells[start : start + counts[row]].tolist() == wanted
    assert not status.any()
    assert written(text, cells, counts, status, form) == values


@pytest.mark.parametrize("name", FORMS)
def test_a_foreign_character_and_too_many_do_not_fit(name):
    form = FORMS[name]
    one = form.alphabet[1]
    values = [one + "!", one * 5, one * 4 + form.separators[0], None, "", "é" + one]
    assert read(values, form, limit=4)[3].tolist() == [1, 1, 0, 0, 0, 1]


@given(st.lists(st.text("0123456789", min_size=2, max_size=20), min_size=1, max_size=8), st.sampled_from([0, 1]))
def test_check_digits_are_those_of_the_twin(values, add):
    text, cells, counts, status = read(values, FORMS["digits"])
    digits.set_check(text.offsets, text.valid, counts, status, add, cells)
    made = written(text, cells, counts, status, FORMS["digits"])
    assert made == [value[:-1] + str((naive.luhn([int(each) for each in value[:-1]]) + add) % 10) for value in values]
    digits.check(text.offsets, text.valid, cells, counts, add, status)
    assert not status.any()
    digits.check(text.offsets, text.valid, cells, counts, add + 1, status)
    assert status.all()
