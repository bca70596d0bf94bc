import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels.base64url import SIXES, decode
from tests.masker.columns import column

PREFIXES = ["tok_abc234", "tok_abc235", "t_zzz777"]


def decoded(texts):
    """For each text the number of its prefix, and what it holds."""
    prefixes, sizes = np.zeros((len(PREFIXES), 20), np.uint8), np.array([len(each) for each in PREFIXES])
    for row, prefix in zip(prefixes, PREFIXES, strict=True):
        row[: len(prefix)] = np.frombuffer(prefix.encode(), np.uint8)
    values = column(texts)
    which, offsets = np.full(len(texts), -1), np.zeros(len(texts) + 1, np.int64)
    raw = np.zeros(int(values.offsets[-1]) + 8, np.uint8)
    decode(values.data, values.offsets, values.valid, prefixes, sizes, SIXES, which, raw, offsets)
    return [(int(n), raw[offsets[i] : offsets[i + 1]].tobytes()) for i, n in enumerate(which)]


def spelt(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@given(st.lists(st.none() | st.tuples(st.sampled_from([0, 1, 2]), st.binary(min_size=16, max_size=60)), max_size=8))
def test_each_prefix_is_told_and_what_follows_is_decoded(tokens):
    texts = [None if each is None else PREFIXES[each[0]] + spelt(each[1]) for each in tokens]
    assert decoded(texts) == [(-1, b"") if each is None else each for each in tokens]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tok_abc234",
        "tok_abc236" + spelt(bytes(16)),
        "tok_abc234" + spelt(bytes(15)),
        "tok_abc234" + spelt(bytes(16)) + "=",
        "tok_abc234" + spelt(bytes(16)) + "AAA",
        "tok_abc234" + spelt(bytes(16))[:-1] + "B",
        "tok_abc234" + spelt(bytes(16))[:-1] + "+",
        "tok_abc234" + spelt(bytes(16))[:-1] + "é",
        " tok_abc234" + spelt(bytes(16)),
    ],
)
def test_everything_else_is_refused(text):
    assert decoded([text, "t_zzz777" + spelt(bytes(16))]) == [(-1, b""), (2, bytes(16))]
