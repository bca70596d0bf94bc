"""AES in OpenSSL, the only file that knows `cryptography`.

Kernels arrange the 16-byte blocks of thousands of values, and one call here encrypts them all. So there is no Python
call for a value, and no table of our own whose lookups could be timed.
"""

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class BlockCipher:
    """AES of many independent blocks, with a key of 16, 24 or 32 bytes. It belongs to one thread."""

    def __init__(self, key: bytes) -> None:
        # A single block of ECB is the bare permutation; no message is ever encrypted in this mode.
        self._context = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305

    def encrypt(self, blocks: Bytes, output: Bytes) -> None:
        """Encrypt `blocks`, a multiple of 16 bytes, into `output`, which must be 16 bytes longer."""
        self._context.update_into(blocks.data, output.data)

    def block(self, plain: bytes) -> bytes:
        """Encrypt one block."""
        return self._context.update(plain)


def siv_encrypt(key: bytes, value: bytes, associated: list[bytes]) -> bytes:
    """Seal one long value as RFC 5297 says; returns V || C."""
    return AESSIV(key).encrypt(value, associated)


def siv_decrypt(key: bytes, sealed: bytes, associated: list[bytes]) -> bytes | None:
    """Open V || C of one long value; returns None where the tag is wrong."""
    try:
        return AESSIV(key).decrypt(sealed, associated)
    except InvalidTag:
        return None


def cmac(key: bytes, value: bytes) -> bytes:
    """Return the 16 bytes of RFC 4493's CMAC, for one long value or a constant."""
    mac = CMAC(algorithms.AES(key))
    mac.update(value)
    return mac.finalize()
