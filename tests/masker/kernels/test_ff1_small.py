import numpy as np
import pytest

from masker.aes import BlockCipher
from masker.kernels import ff1_small, fpe
from tests.masker import naive

KEY = bytes(range(32))


def small(key, digits, radix, *, decrypt=False):
    cells = np.array([*digits, *[0] * 16], np.uint8 if radix <= 256 else np.uint16)
    form = fpe.Format(tuple("0123456789") if radix == 10 else tuple(chr(0x100 + i) for i in range(radix)))
    starts, sizes = np.zeros(1, np.int64), np.array([len(digits)])
    ff1_small.Rounds(BlockCipher(key), form, 1).run(cells, starts, sizes, decrypt=decrypt)
    return cells[: len(digits)].tolist()


@pytest.mark.parametrize("radix", [2, 10, 26, 62, 255, 256, 1000])
def test_the_small_kernel_equals_the_twin_at_every_length_it_takes(radix):
    random = np.random.default_rng(radix)
    most = ff1_small.longest(radix, 0, ascii_only=True)
    assert radix ** -(-most // 2) <= 1 << 48 < radix ** -(-(most + 1) // 2)
    for length in range(2, most + 1):
        for digits in (random.integers(0, radix, length).tolist(), [radix - 1] * length, [0] * length):
            cipher = naive.ff1(KEY, b"", digits, radix)
            assert small(KEY, digits, radix) == cipher
            assert small(KEY, cipher, radix, decrypt=True) == digits
