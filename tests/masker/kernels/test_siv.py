import base64
import dataclasses

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels.column import text_from
from masker.kernels.siv import Sealer, TokenKey, open_tokens
from tests.masker import naive
from tests.masker.columns import values
from tests.masker.conftest import INTERPRETED

KEY = TokenKey(bytes(range(64)), "tok", "abc234")
VALUES = st.one_of(st.binary(max_size=80), st.sampled_from([15, 16, 17, 31, 32, 33, 1023, 1024, 1025, 3000]).map(bytes))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclasses.dataclass(frozen=True)
class RfcKey(TokenKey):
    strings: tuple = ()

    @property
    def associated(self):
        return list(self.strings)


def test_rfc_5297_examples(rfc):
    for case in rfc["siv"]:
        strings = tuple(bytes.fromhex(each) for each in case["associated"])
        plain, key = bytes.fromhex(case["plain"]), bytes.fromhex(case["key"])
        assert naive.siv(key, strings, plain).hex() == case["sealed"]
        sealed = Sealer(RfcKey(key, "k", "abcdef", strings=strings)).seal(text_from([plain])).value(0)
        body = sealed.removeprefix(b"k_abcdef")
        assert base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)).hex() == case["sealed"]


def test_wycheproof_cases_seal_and_open_or_are_refused(wycheproof):
    assert [case["valid"] for case in wycheproof].count(True) == 39
    for case in wycheproof:
        key = RfcKey(bytes.fromhex(case["key"]), "k", "abcdef", strings=(bytes.fromhex(case["associated"]),))
        plain, sealed = bytes.fromhex(case["plain"]), bytes.fromhex(case["sealed"])
        token = key.prefix + base64.urlsafe_b64encode(sealed).rstrip(b"=")
        opened = open_tokens(text_from([token]), [key])
        assert opened.status.tolist() == [0 if case["valid"] else 1], case["id"]
        assert values(opened.values) == [plain if case["valid"] else None], case["id"]
        assert (values(Sealer(key).seal(text_from([plain]))) == [token]) == case["valid"], case["id"]


def test_tokens_are_the_fixed_vectors(key_vectors, make_ring):
    ring = make_ring("readable", "active")
    for case in key_vectors["tokens"]:
        key = TokenKey(ring.derive(case["domain"], "token", case["version"]), case["kind"], case["key_id"])
        assert ring.key_id(case["domain"], case["version"]) == case["key_id"]
        assert Sealer(key).seal(text_from([case["value"].encode()])).value(0).decode() == case["token"]


@given(st.lists(st.none() | VALUES, max_size=30))
def test_seal_equals_the_twin_and_cryptography_and_opens_again(column):
    sealed = Sealer(KEY).seal(text_from(column))
    wanted = [each if each is None else naive.token(KEY.key, "tok", "abc234", each).encode() for each in column]
    assert values(sealed) == wanted
    for plain, made in zip(column, wanted, strict=True):
        if plain:  # cryptography refuses the empty string
            reference = AESSIV(KEY.key).encrypt(plain, KEY.associated)
            assert made == b"tok_abc234" + base64.urlsafe_b64encode(reference).rstrip(b"=")
    opened = open_tokens(sealed, [KEY])
    assert values(opened.values) == column
    assert not opened.status.any()


def test_many_lanes_of_mixed_length():
    column = [bytes([row % 251]) * (row * 7 % 90) for row in range(300)] * (3 if INTERPRETED else 30)
    sealed = Sealer(KEY).seal(text_from(column))
    twins = {each: naive.token(KEY.key, "tok", "abc234", each).encode() for each in set(column)}
    assert values(sealed) == [twins[each] for each in column]
    assert values(open_tokens(sealed, [KEY]).values) == column


@pytest.mark.parametrize("plain", [b"", b"42", b"anna@example.com", b"exactly sixteen!", b"x" * 1025])
def test_every_flipped_character_is_refused(plain):
    token = Sealer(KEY).seal(text_from([plain])).value(0).decode()
    places = range(len(token)) if len(token) < 100 else [*range(12), len(token) // 2, len(token) - 2, len(token) - 1]
    forged = [
        token[:place] + other + token[place + 1 :]
        for place in places
        for other in (ALPHABET if place == len(token) - 1 else "Ax_0=")
        if other != token[place]
    ]
    forged += [token[:-1], token + "A", token + "=", token[1:], token + "\n", "", token[:10], " " + token]
    opened = open_tokens(text_from([each.encode() for each in forged]), [KEY])
    assert (opened.status == 1).all()
    assert not opened.values.valid.any()
    assert not opened.values.data.any()


def test_unused_bits_must_be_zero():
    """Sixteen last characters decode alike; only one of them is the token."""
    token = Sealer(KEY).seal(text_from([b""])).value(0).decode()
    body = token.removeprefix("tok_abc234")
    assert len(body) == 22
    alike = [body[:-1] + c for c in ALPHABET if ALPHABET.index(c) >> 4 == ALPHABET.index(body[-1]) >> 4]
    assert len(alike) == 16
    opened = open_tokens(text_from([f"tok_abc234{each}".encode() for each in alike]), [KEY])
    assert np.count_nonzero(opened.status == 0) == 1


def test_other_kinds_ids_and_keys_open_nothing():
    sealed = Sealer(KEY).seal(text_from([b"value"]))
    for other in (
        dataclasses.replace(KEY, kind="tokk"),
        dataclasses.replace(KEY, key_id="abc235"),
        dataclasses.replace(KEY, key=bytes(64)),
    ):
        assert open_tokens(sealed, [other]).status.tolist() == [1]


def test_versions_are_told_apart_in_one_column():
    keys = [KEY, TokenKey(bytes(64), "tok", "zzz777")]
    column = [b"one", None, b"two", b"three"]
    sealed = [Sealer(keys[row % 2]).seal(text_from([each])) for row, each in enumerate(column)]
    mixed = text_from([each.value(0) if each.valid[0] else None for each in sealed])
    assert values(open_tokens(mixed, keys).values) == column
