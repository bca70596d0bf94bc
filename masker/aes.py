"""AES in OpenSSL, the only file that knows `cryptography`.

Kernels arrange 16-byte blocks of thousands of values; one call here encrypts
them all. No Python call a value, no table lookups of our own. A context belongs
to one thread.
"""

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC
from numpy.typing import NDArray

BLOCK = 16
SLACK = BLOCK  # update_into wants room for one more block than it writes

Bytes = NDArray[np.uint8]


class BlockCipher:
    """AES-ECB of many independent blocks; key of 16, 24 or 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # A single block of ECB is the bare permutation; no message is ever encrypted in this mode.
        self._context = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305

    def encrypt(self, blocks: Bytes, output: Bytes) -> None:
        """Encrypt `blocks` (a multiple of 16 bytes) into `output`, which has SLACK bytes more."""
        self._context.update_into(blocks.data, output.data)

    def block(self, plain: bytes) -> bytes:
        """Encrypt one block."""
        return self._context.update(plain)


def siv_encrypt(key: bytes, value: bytes, associated: list[bytes]) -> bytes:
    """RFC 5297 for one long value; V || C."""
    return AESSIV(key).encrypt(value, associated)


def siv_decrypt(key: bytes, sealed: bytes, associated: list[bytes]) -> bytes | None:
    """Open V || C of one long value; None where the tag is wrong."""
    try:
        return AESSIV(key).decrypt(sealed, associated)
    except InvalidTag:
        return None


def cmac(key: bytes, value: bytes) -> bytes:
    """RFC 4493 for one long value or a constant; 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(value)
    return mac.finalize()
