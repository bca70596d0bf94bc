from hypothesis import given
from hypothesis import strategies as st

from masker.kernels.canonical import FORMS, canonical, canonical_text
from tests.masker.columns import ASCII, COLUMNS, back, column

CASES = st.sampled_from([(), ("lower",), ("upper",), ("lower_host",)])
SOME_FORMS = st.builds(
    lambda a, b, c: tuple(sorted({*a, *b, *c})),
    CASES,
    st.sampled_from([(), ("trim",)]),
    st.sampled_from([(), ("nfc",)]),
)


@given(COLUMNS | ASCII | st.lists(st.text(" \t\x1fA@é.bC\u0301\xa0", max_size=12), max_size=20), SOME_FORMS)
def test_canonical_equals_python(values, forms):
    assert set(forms) <= set(FORMS)
    wanted = [None if v is None else canonical_text(v, forms) for v in values]
    assert back(canonical(column(values), forms)) == wanted


def test_canonical_makes_equal_what_looks_equal():
    pair = column([" Zoe\u0308@Example.COM", "Zo\u00eb@example.com "])
    assert len(set(back(canonical(pair, ("trim", "nfc", "lower_host"))))) == 1
