import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import prf
from masker.kernels.column import text_from
from tests.masker import naive
from tests.masker.columns import fixed, values

KEY = bytes(range(32))
LENGTHS = [15, 16, 17, 31, 32, 33, 1023, 1024, 1025, 3000]
VALUES = st.binary(max_size=80) | st.sampled_from(LENGTHS).map(bytes)


def test_rfc_4493_examples(rfc):
    key, message = bytes.fromhex(rfc["cmac_key"]), bytes.fromhex(rfc["cmac_message"])
    parts = [message[: case["length"]] for case in rfc["cmac"]]
    wanted = [case["mac"] for case in rfc["cmac"]]
    assert [naive.cmac(key, part).hex() for part in parts] == wanted
    assert [row.tobytes().hex() for row in prf.Prf(key).digests(text_from(parts))] == wanted


def test_pseudonyms_are_the_fixed_vectors(key_vectors, keys):
    for case in key_vectors["pseudonyms"]:
        made = prf.pseudonyms(text_from([case["value"].encode()]), prf.Prf(keys.derive(case["domain"], "pseudonym", 1)))
        assert made.value(0).decode() == case["pseudonym"]


@given(st.lists(st.none() | VALUES, max_size=30), st.binary(min_size=16, max_size=16))
def test_prf_equals_the_twin(column, key):
    made = prf.pseudonyms(text_from(column), prf.Prf(key))
    assert values(made) == [each if each is None else naive.pseudonym(key, each).encode() for each in column]


def integer_digests(numbers):
    return [digest.copy() for _, chunk in prf.Prf(KEY).integer_digests(numbers) for digest in chunk]


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 10**16), max_size=30))
def test_integer_digests_equal_those_of_their_text(numbers):
    made = integer_digests(fixed(numbers))
    for row, number in enumerate(numbers):
        assert number is None or made[row].tobytes() == naive.cmac(KEY, str(number).encode())


def test_integer_digests_at_every_length():
    numbers = sorted({sign * (10**power + delta) for power in range(19) for delta in (-1, 0, 1) for sign in (1, -1)})
    for dtype in (np.int64, np.int8, np.uint64):
        some = [number for number in numbers if np.iinfo(dtype).min <= number <= np.iinfo(dtype).max]
        made = integer_digests(fixed(some, dtype))
        assert [row.tobytes() for row in made] == [naive.cmac(KEY, str(number).encode()) for number in some]
