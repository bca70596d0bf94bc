import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import ff1_small, fpe
from masker.kernels.column import text_from
from tests.masker import naive
from tests.masker.conftest import INTERPRETED
from tests.masker.kernels.test_ff1_small import small
from tests.masker.kernels.test_ff1_wide import wide

DIGITS = "0123456789"
KEY = bytes(range(32))
ALPHABETS = {
    "binary": "01",
    "digits": DIGITS,
    "letters": "abcdefghijklmnopqrstuvwxyz",
    "dense": "".join(chr(c) for c in range(33, 127) if chr(c) not in "-_"),
    "greek": "".join(chr(0x3B1 + i) for i in range(24) if i != 17),
    "astral": "".join(chr(0x1F300 + i) for i in range(200)),
}


def run(values, form, key=KEY, *, decrypt=False):
    made = fpe.run(text_from([None if v is None else v.encode() for v in values]), form, key, decrypt=decrypt)
    words = {1: "unfit", 2: "short"}
    return [
        words.get(int(made.status[i])) or (made.values.value(i).decode() if made.values.valid[i] else None)
        for i in range(len(values))
    ]


def test_all_459_vectors_against_kernels_and_twin(ff1_vectors):
    assert len(ff1_vectors) == 459
    fast = 0
    for case in ff1_vectors:
        key, tweak, radix = bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"]), case["radix"]
        plain, cipher = ([case["alphabet"].index(c) for c in case[name]] for name in ("pt", "ct"))
        assert wide(key, tweak, plain, radix) == cipher == naive.ff1(key, tweak, plain, radix)
        assert wide(key, tweak, cipher, radix, decrypt=True) == plain
        assert naive.ff1(key, tweak, cipher, radix, decrypt=True) == plain
        if not tweak and len(plain) <= ff1_small.longest(radix, 0, ascii_only=True):
            fast += 1
            assert small(key, plain, radix) == cipher
            assert small(key, cipher, radix, decrypt=True) == plain
    assert fast > 10


@st.composite
def columns(draw):
    name = draw(st.sampled_from(sorted(ALPHABETS)))
    characters = st.sampled_from(ALPHABETS[name] * 3 + " -")
    value = st.text(characters, max_size=140) | st.text(st.sampled_from("09aé_ -"), max_size=12)
    kept = draw(st.sampled_from([(0, 0), (2, 0), (0, 4), (6, 4), (12, 3)]))
    return name, kept, draw(st.lists(st.none() | value, max_size=12))


@given(columns(), st.sampled_from([128, 192, 256]))
def test_columns_equal_the_twin_and_come_back(column, bits):
    name, (prefix, suffix), values = column
    form = fpe.Format(tuple(ALPHABETS[name]), keep_prefix=prefix, keep_suffix=suffix, bits=bits)
    made = run(values, form)
    key = KEY[: bits // 8]
    wanted = [v if v is None else naive.fpe(key, v, ALPHABETS[name], prefix=prefix, suffix=suffix) for v in values]
    assert made == wanted
    good = [(v, m) for v, m in zip(values, made, strict=True) if m not in {"unfit", "short"}]
    assert run([m for _, m in good], form, decrypt=True) == [v for v, _ in good]


@pytest.mark.parametrize(("name", "least"), [("binary", 20), ("digits", 6), ("letters", 5), ("dense", 4)])
def test_the_floor_counts_what_is_encrypted(name, least):
    alphabet = ALPHABETS[name]
    plain = fpe.Format(tuple(alphabet))
    assert run([alphabet[1] * (least - 1)], plain) == ["short"]
    assert run([alphabet[1] * least], plain) == [naive.fpe(KEY, alphabet[1] * least, alphabet)]
    kept = dataclasses.replace(plain, keep_prefix=2, keep_suffix=1)
    assert run([alphabet[1] * (least + 2)], kept) == ["short"]
    assert run([alphabet[1] * (least + 3)], kept)[0] not in {"short", "unfit"}


def test_an_empty_value_is_short_and_a_null_stays_null():
    assert run(["", None, " - "], fpe.Format(tuple(DIGITS))) == ["short", None, "short"]


def test_128_characters_are_the_most():
    form = fpe.Format(tuple(DIGITS))
    assert run(["1" * 129, "1" * 64 + "-" + "1" * 64], form)[0] == "unfit"
    assert run(["1" * 64 + "-" + "1" * 64], form)[0] == naive.fpe(KEY, "1" * 64 + "-" + "1" * 64, DIGITS)


@pytest.mark.parametrize(("luhn", "add"), [(fpe.LUHN_VALID, 0), (fpe.LUHN_INVALID, 1)])
def test_luhn_is_kept_or_broken_and_reversible(luhn, add):
    form = fpe.Format(tuple(DIGITS), luhn=luhn)
    cards = [
        "4111-1111-1111-1111",
        "4012888888881881",
        "378282246310005",
        "4111-1111-1111-1112",
        "49927398716",
    ]
    made = run(cards, form)
    assert made == [naive.fpe(KEY, card, DIGITS, luhn_add=add) for card in cards]
    assert made[3] == "unfit"
    for value in made[:3]:
        digits = [int(c) for c in value if c != "-"]
        assert (naive.luhn(digits[:-1]) + add) % 10 == digits[-1]
    assert run(made[:3], form, decrypt=True) == cards[:3]
    assert run([made[0][:-1] + str((int(made[0][-1]) + 1) % 10)], form, decrypt=True) == ["unfit"]


def test_fixed_vectors(key_vectors, keys):
    key = keys.derive("card", "fpe", 1)
    for case in key_vectors["fpe"]:
        luhn = {"valid": fpe.LUHN_VALID, "invalid": fpe.LUHN_INVALID, None: None}[case["luhn"]]
        form = fpe.Format(tuple(DIGITS), keep_prefix=case["keep_prefix"], luhn=luhn)
        assert run([case["value"]], form, key) == [case["fpe"]]


def test_many_lanes_of_mixed_length():
    random = np.random.default_rng(1)
    values = ["".join(map(str, random.integers(0, 10, random.integers(6, 40)))) for _ in range(300)]
    values *= 3 if INTERPRETED else 60
    twins = {value: naive.fpe(KEY, value, DIGITS) for value in set(values)}
    assert run(values, fpe.Format(tuple(DIGITS))) == [twins[value] for value in values]


def test_each_length_is_permuted():
    """Radix 10 at the floor: a million values, none twice."""
    values = [f"{number:06d}" for number in range(0, 1_000_000, 997 if INTERPRETED else 97)]
    assert len(set(run(values, fpe.Format(tuple(DIGITS))))) == len(values)
