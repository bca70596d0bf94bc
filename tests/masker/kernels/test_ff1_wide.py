import numpy as np
import pytest

from masker.aes import BlockCipher
from masker.kernels import ff1_wide
from tests.masker import naive
from tests.masker.conftest import INTERPRETED


def wide(key, tweak, digits, radix, *, decrypt=False):
    cells = np.array([*digits, 0], np.uint16)
    ff1_wide.run(BlockCipher(key), radix, cells, np.zeros(1, np.int64), len(digits), [tweak], decrypt=decrypt)
    return cells[:-1].tolist()


@pytest.mark.parametrize("radix", [2, 3, 10, 62, 255, 256, 65535, 65536])
def test_odd_radices_lengths_and_tweaks_against_the_twin(radix):
    random = np.random.default_rng(radix)
    tweak_lengths = (0, 1, 11, 15, 16, 64)
    for number, length in enumerate((2, 3, 7, 20, 21, 64, 127, 128)):
        for tweak_length in [tweak_lengths[number % 6]] if INTERPRETED else tweak_lengths:
            digits = random.integers(0, radix, length).tolist()
            tweak, key = random.bytes(tweak_length), random.bytes(int(random.choice([16, 24, 32])))
            cipher = naive.ff1(key, tweak, digits, radix)
            assert wide(key, tweak, digits, radix) == cipher
            assert wide(key, tweak, cipher, radix, decrypt=True) == digits
