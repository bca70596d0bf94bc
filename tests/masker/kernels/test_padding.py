import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels.column import text_from
from masker.kernels.padding import padded, unpadded
from masker.kernels.siv import Sealer, TokenKey, open_tokens
from tests.masker.columns import values

KEY = TokenKey(bytes(range(64)), "tok", "abc234", 16)
COLUMNS = st.lists(st.none() | st.binary(max_size=40) | st.sampled_from([b"\x80", b"\x80\0", b"\0\0"]), max_size=20)


def twin(value, step):
    """ISO/IEC 7816-4."""
    ended = value + b"\x80"
    return ended + bytes(-len(ended) % step)


@given(COLUMNS, st.sampled_from([2, 3, 16, 128]))
def test_a_padded_value_is_that_of_the_standard_and_comes_back(column, step):
    made = padded(text_from(column), step)
    assert values(made) == [each if each is None else twin(each, step) for each in column]
    back = unpadded(made, np.zeros(len(column), np.uint8))
    assert values(back.values) == column
    assert not back.status.any()


@pytest.mark.parametrize("wrong", [b"", b"\0", b"plain", b"plain\0\0", b"\x81"])
def test_what_has_no_padding_is_unfit(wrong):
    back = unpadded(text_from([wrong, b"a\x80"]), np.zeros(2, np.uint8))
    assert (values(back.values), back.status.tolist()) == ([None, b"a"], [1, 0])


@given(COLUMNS)
def test_equal_values_have_equal_tokens_and_their_length_tells_the_step_alone(column):
    sealed = Sealer(KEY).seal(text_from(column))
    assert values(open_tokens(sealed, [KEY]).values) == column
    lengths = {}
    for plain, token in zip(column, values(sealed), strict=True):
        if plain is not None:
            lengths.setdefault(len(plain) // 16, set()).add(len(token))
    assert all(len(found) == 1 for found in lengths.values())
    assert values(sealed) == values(Sealer(KEY).seal(text_from(column)))


@pytest.mark.parametrize("length", [0, 15, 16, 1007, 1008, 1023, 1024, 3000])
def test_long_values_are_padded_alike(length):
    column = [b"x" * length, None, b"y"]
    sealed = Sealer(KEY).seal(text_from(column))
    assert values(open_tokens(sealed, [KEY]).values) == column
    assert len(sealed.value(0)) == 10 + ((length // 16 + 1) * 16 + 16) * 8 // 6 + bool(((length // 16 + 2) * 128) % 6)


def test_a_token_opens_only_with_the_padding_that_it_was_made_with():
    plain = text_from([b"value"])
    for own in (0, 16, 32):
        sealed = Sealer(dataclasses.replace(KEY, pad_to=own)).seal(plain)
        opened = [open_tokens(sealed, [dataclasses.replace(KEY, pad_to=pad)]).status.tolist() for pad in (0, 16, 32)]
        assert opened == [[0 if pad == own else 1] for pad in (0, 16, 32)]


def test_padded_tokens_are_the_fixed_vectors(key_vectors, make_ring):
    ring = make_ring("readable", "active")
    for case in key_vectors["padded_tokens"]:
        key = ring.derive(case["domain"], "token", case["version"])
        sealer = Sealer(TokenKey(key, case["kind"], case["key_id"], case["pad_to"]))
        token = sealer.seal(text_from([case["value"].encode()]))
        assert token.value(0).decode() == case["token"]
        assert values(open_tokens(token, [sealer.token_key]).values) == [case["value"].encode()]
