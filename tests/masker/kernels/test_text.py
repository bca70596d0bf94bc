import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import text
from tests.masker import naive
from tests.masker.columns import ASCII, COLUMNS, back, column


@given(COLUMNS | ASCII, st.integers(0, 4), st.integers(0, 4))
def test_partial_equals_the_twin(values, first, last):
    made = text.partial(column(values), first, last, "*").values
    assert back(made) == [None if v is None else naive.partial(v, first, last, "*") for v in values]


def test_partial_keeps_nothing_of_a_short_value():
    made = text.partial(column(["1234567", "12345678", "äöüß", ""]), 0, 4, "x").values
    assert back(made) == ["xxxxxxx", "xxxx5678", "xxxx", ""]


@given(COLUMNS | ASCII)
def test_zip3_equals_the_twin(values):
    assert back(text.zip3(column(values)).values) == [None if v is None else naive.zip3(v) for v in values]


ADDRESSES = st.ip_addresses().map(str) | st.ip_addresses(v=6).map(lambda a: ipaddress.ip_address(a).exploded)
NEARLY = st.text("0123456789.", max_size=16) | st.text("0123456789abcdef:.", max_size=20) | st.text(max_size=8)


@given(st.lists(st.none() | ADDRESSES | NEARLY, max_size=20))
def test_network_equals_the_twin(values):
    made = text.network(column(values))
    wanted = [None if v is None else naive.network(v) for v in values]
    assert back(made.values) == wanted
    assert made.status.tolist() == [int(v is not None and w is None) for v, w in zip(values, wanted, strict=True)]


@given(st.lists(st.none() | st.text("ab@é", max_size=8), max_size=20))
def test_halves_and_join_are_inverse(values):
    local, host, status = text.halves(column(values))
    joined = back(text.join(local, b"@", host, b""))
    for value, made, wrong in zip(values, joined, status, strict=True):
        fits = value is not None and value.count("@") == 1
        assert made == (value if fits else None)
        assert wrong == (value is not None and not fits)


def test_cut_takes_only_its_ending():
    made = text.cut(column(["x@masked.invalid", "x@masked.invalid ", "", None, "@masked.invalid"]), b"@masked.invalid")
    assert back(made.values) == ["x", None, None, None, ""]
    assert made.status.tolist() == [0, 1, 1, 0, 0]


def test_constant_and_chosen():
    values = column(["a", None, "b"])
    assert back(text.constant(values.valid, b"gone")) == ["gone", None, "gone"]
    labels = column(["low", "high"])
    assert back(text.chosen(labels, values.valid * 1, values.valid)) == ["high", None, "high"]


@pytest.mark.parametrize(
    "value",
    [
        "1.2.3.04",
        "1.2.3",
        "1.2.3.4.5",
        "1..2.3",
        "256.1.1.1",
        "1.2.3.",
        ".1.2.3",
        "1.2.3.1000000000000000000000",
    ],
)
def test_ipv4_is_read_strictly(value):
    assert text.network(column([value])).status.tolist() == [1]
