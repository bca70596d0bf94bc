"""FF1 for any radix up to 65,536, up to 128 digits and any tweak.

A half is a list of limbs of k digits, the least first, so that mod radix^m drops the highest carry. The windows of one
call have the same length and the same length of tweak; AES runs for all of them at once.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.aes import BlockCipher
from masker.kernels import kernel
from masker.kernels.ff1_small import head
from masker.kernels.lanes import octets
from masker.kernels.word import U

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of algorithm 7: n digits, b bytes a half, d bytes of S, k digits a limb."""

    radix: int
    n: int

    @property
    def u(self) -> int:
        """Digits of the left half."""
        return self.n // 2

    @property
    def v(self) -> int:
        """Digits of the right half."""
        return self.n - self.u

    @property
    def b(self) -> int:
        """Bytes of NUM(B)."""
        return (int(self.radix**self.v - 1).bit_length() + 7) // 8

    @property
    def d(self) -> int:
        """Bytes of S that count."""
        return 4 * ((self.b + 3) // 4) + 4

    @property
    def k(self) -> int:
        """Digits of a limb: limb * 2^32 plus a carry fits a word."""
        digits = 1
        while self.radix ** (digits + 1) <= 1 << 31:
            digits += 1
        return digits

    def top(self, digits: int) -> int:
        """The modulus of the highest limb of a half."""
        return int(self.radix ** (digits - self.k * ((digits - 1) // self.k)))


def run(
    cipher: BlockCipher,
    radix: int,
    digits: NDArray[np.uint16],
    starts: NDArray[np.int64],
    size: int,
    tweaks: list[bytes],
    *,
    decrypt: bool,
) -> None:
    """Replace the windows digits[start:start + size]; every tweak has the same length."""
    shape = Shape(radix, size)
    state, tail = _before_number(cipher, shape, tweaks)
    limbs = -(-shape.v // shape.k)
    scratch = np.zeros(limbs, np.uint64)
    left, right = np.zeros((starts.size, limbs), np.uint64), np.zeros((starts.size, limbs), np.uint64)
    gather_limbs(digits, starts, shape.u, U(radix), shape.k, left)
    gather_limbs(digits, starts + shape.u, shape.v, U(radix), shape.k, right)
    if decrypt:
        left, right = right, left
    for i in range(9, -1, -1) if decrypt else range(10):
        stream = _round_bytes(cipher, shape, state, tail, right, i)
        half = shape.v if i & 1 else shape.u
        add(stream, shape.d, -(-half // shape.k), U(radix**shape.k), U(shape.top(half)), decrypt, scratch, left)
        left, right = right, left
    if decrypt:
        left, right = right, left
    spread_limbs(left, starts, shape.u, U(radix), shape.k, digits)
    spread_limbs(right, starts + shape.u, shape.v, U(radix), shape.k, digits)


def _before_number(cipher: BlockCipher, shape: Shape, tweaks: list[bytes]) -> tuple[Bytes, Bytes]:
    """CBC-MAC over P and the blocks of Q that only hold tweak and zeros; and the bytes of Q after those."""
    length = len(tweaks[0])
    zeros = (-length - shape.b - 1) % 16
    front = np.frombuffer(b"".join(tweak + bytes(zeros) for tweak in tweaks), np.uint8).reshape(len(tweaks), -1)
    whole = front.shape[1] // 16
    state = np.zeros((len(tweaks), 16), np.uint8)
    state[:] = np.frombuffer(cipher.block(head(shape.radix, shape.n, length)), np.uint8)
    for j in range(whole):
        state = _encrypt(cipher, state ^ front[:, 16 * j : 16 * j + 16])
    return state, front[:, 16 * whole :]


def _round_bytes(cipher: BlockCipher, shape: Shape, state: Bytes, tail: Bytes, right: Words, i: int) -> Bytes:
    """Return S of every lane, at least d bytes (algorithm 7, steps 6.i to 6.iv)."""
    rest = tail.shape[1] + 1 + shape.b
    blocks = np.zeros((state.shape[0], rest), np.uint8)
    blocks[:, : tail.shape[1]] = tail
    blocks[:, tail.shape[1]] = i
    write_number(right, U(shape.radix**shape.k), tail.shape[1] + 1, blocks)
    for j in range(rest // 16):
        state = _encrypt(cipher, state ^ blocks[:, 16 * j : 16 * j + 16])
    parts = [state]
    numbers = (np.frombuffer(j.to_bytes(16, "big"), np.uint8) for j in range(1, -(-shape.d // 16)))
    parts.extend(_encrypt(cipher, state ^ number) for number in numbers)
    return np.concatenate(parts, axis=1)


def _encrypt(cipher: BlockCipher, blocks: Bytes) -> Bytes:
    output = np.zeros((blocks.shape[0] + 1, 2), np.uint64)
    cipher.encrypt(np.ascontiguousarray(blocks).reshape(-1), octets(output))
    return octets(output).reshape(-1, 16)[:-1]


@kernel
def gather_limbs(digits: Any, starts: Any, size: Any, radix: Any, k: Any, limbs: Any) -> None:
    """NUM of digits[start:start + size] in limbs of k digits, least first."""
    for lane in range(starts.size):
        end = starts[lane] + size
        for limb in range((size + k - 1) // k):
            number = U(0)
            low = end - k * (limb + 1)
            for p in range(low if low > starts[lane] else starts[lane], end - k * limb):
                number = number * radix + U(digits[p])
            limbs[lane, limb] = number


@kernel
def spread_limbs(limbs: Any, starts: Any, size: Any, radix: Any, k: Any, digits: Any) -> None:
    """STR, the inverse of gather_limbs."""
    for lane in range(starts.size):
        end = starts[lane] + size
        for j in range(size):
            limb = limbs[lane, j // k]
            digits[end - 1 - j] = np.uint16(limb % radix)
            limbs[lane, j // k] = limb // radix


@kernel
def write_number(limbs: Any, base: Any, start: Any, blocks: Any) -> None:
    """Write each lane's number big-endian into blocks[lane, start:], a byte at a time from the right."""
    for lane in range(limbs.shape[0]):
        for limb in range(limbs.shape[1] - 1, -1, -1):
            carry = limbs[lane, limb]
            for p in range(blocks.shape[1] - 1, start - 1, -1):
                carry += U(blocks[lane, p]) * base
                blocks[lane, p] = np.uint8(carry & U(255))
                carry >>= U(8)


@kernel
def add(stream: Any, d: Any, count: Any, base: Any, top: Any, subtract: Any, y: Any, limbs: Any) -> None:
    """Replace limbs by (limbs +- y) mod radix^m; y is d bytes of the stream, `top` the last modulus."""
    for lane in range(limbs.shape[0]):
        for limb in range(count):
            y[limb] = U(0)
        for p in range(0, d, 4):
            carry = U(0)
            for byte in range(4):
                carry = carry << U(8) | U(stream[lane, p + byte])
            for limb in range(count):
                modulus = top if limb == count - 1 else base
                carry += y[limb] << U(32)
                y[limb] = carry % modulus
                carry //= modulus
        carry = U(0)
        for limb in range(count):
            modulus = top if limb == count - 1 else base
            total = limbs[lane, limb] + (modulus - y[limb] - carry if subtract else y[limb] + carry)
            high = total >= modulus
            limbs[lane, limb] = total - modulus if high else total
            carry = U(1) if high != subtract else U(0)
