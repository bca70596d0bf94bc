"""Tokens: AEAD_AES_SIV_CMAC_512 (RFC 5297) and base64url, whole columns at a time.

A token is kind, `_`, key id, and the unpadded base64url of V || C, as in `tok_abc234Rk9v...`. The associated data are
`placet/token/v1`, kind and key id, in this order. Where a domain pads its values, the number follows as decimal text.
"""

import base64
import dataclasses
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.aes import BlockCipher, cmac, siv_decrypt, siv_encrypt
from masker.kernels import kernel
from masker.kernels.base64url import PAIRS, SIXES, decode, eight
from masker.kernels.column import UNFIT, Bytes, Flags, Masked, Text, ends
from masker.kernels.lanes import LANES, LONG, Lanes, double, endings
from masker.kernels.padding import padded, unpadded
from masker.kernels.vector import get_pair, put_pair
from masker.kernels.word import U, copy, front, load, load_part, store, swap

LABEL = b"placet/token/v1"
"""The first associated data; it tells tokens from everything else that the key could seal."""
KIND = re.compile(r"[a-z][a-z0-9]{0,11}")
"""The word that a token begins with. It has no `_`, so the first one ends it."""
TAG = 16
"""Bytes of V."""
OVERRUN = 32
"""Characters that `emit` may write past a token, because it writes 32 at a time; the next token covers them."""


@dataclasses.dataclass(frozen=True)
class TokenKey:
    """The key of the tokens of one domain and version: 64 bytes, kind and key id.

    Values are padded to a multiple of `pad_to` bytes before they are sealed; 0 leaves them as they are.
    """

    key: bytes = dataclasses.field(repr=False)
    kind: str
    key_id: str
    pad_to: int = 0

    @property
    def prefix(self) -> bytes:
        """The characters before the body."""
        return f"{self.kind}_{self.key_id}".encode()

    @property
    def associated(self) -> list[bytes]:
        """The associated data, in order. What was padded does not open as what was not, or was padded otherwise."""
        padding = [str(self.pad_to).encode()] if self.pad_to else []
        return [LABEL, self.kind.encode(), self.key_id.encode(), *padding]


class Sealer:
    """Seals and opens columns under one key. It belongs to one thread."""

    def __init__(self, key: TokenKey) -> None:
        self.token_key = key
        half = len(key.key) // 2
        self._mac, self._stream = BlockCipher(key.key[:half]), BlockCipher(key.key[half:])
        state = _s2v_start(key.key[:half], key.associated)
        key1 = double(self._mac.block(bytes(16)))
        short = bytes(a ^ b for a, b in zip(double(state), key1, strict=True))
        self._masks = endings(self._mac, short, state)
        self._lanes = Lanes()
        self._raw = np.zeros((LONG // 16 + 3, 2), np.uint64)

    def seal(self, text: Text) -> Text:
        """Return a token for every valid value; null stays null."""
        text = padded(text, self.token_key.pad_to) if self.token_key.pad_to else text
        prefix = np.frombuffer(self.token_key.prefix, np.uint8)
        lengths = np.diff(text.offsets)
        offsets = ends(np.where(text.valid, prefix.size + _encoded(TAG + lengths), 0))
        output = np.zeros(int(offsets[-1]) + OVERRUN, np.uint8)
        long = text.valid & (lengths > LONG)
        for low, high in text.chunks(LANES):
            part = text.part(low, high)
            self._lanes.arrange(part.offsets, part.valid & ~long[low:high])
            tags = self._lanes.mac(part, self._mac, self._masks)
            stream = self._lanes.keystream(tags, self._stream)
            emit(
                part.data,
                part.offsets,
                self._lanes.lane[: len(part)],
                self._lanes.base,
                tags,
                stream,
                prefix,
                PAIRS,
                self._raw,
                self._raw.reshape(-1),
                output,
                offsets[low:],
            )
        for row in np.flatnonzero(long):
            output[offsets[row] : offsets[row + 1]] = np.frombuffer(self._seal_long(text.value(int(row))), np.uint8)
        return Text(output[: offsets[-1]], offsets, text.valid)

    def open(self, sealed: Text, take: Flags, plain: Bytes, offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Open the taken V || C into `plain` at `offsets`; status UNFIT where a tag is wrong."""
        status = np.zeros(len(sealed), np.uint8)
        tags = np.zeros((LANES, 2), np.uint64)
        long = take & (np.diff(offsets) > LONG)
        for low, high in sealed.chunks(LANES):
            lanes = self._lanes
            lanes.arrange(offsets[low : high + 1], take[low:high] & ~long[low:high])
            lane = lanes.lane[: high - low]
            load_tags(sealed.data, sealed.offsets[low:], lane, tags)
            uncover(
                sealed.data,
                sealed.offsets[low:],
                lane,
                lanes.base,
                lanes.keystream(tags, self._stream),
                plain,
                offsets[low:],
            )
            part = Text(plain, offsets[low : high + 1], take[low:high])
            compare(tags, lanes.mac(part, self._mac, self._masks), lane, plain, offsets[low:], status[low:])
        for row in np.flatnonzero(long):
            value = siv_decrypt(self.token_key.key, sealed.value(int(row)), self.token_key.associated)
            plain[offsets[row] : offsets[row + 1]] = 0 if value is None else np.frombuffer(value, np.uint8)
            status[row] = UNFIT if value is None else 0
        return status

    def _seal_long(self, value: bytes) -> bytes:
        sealed = siv_encrypt(self.token_key.key, value, self.token_key.associated)
        return self.token_key.prefix + base64.urlsafe_b64encode(sealed).rstrip(b"=")


def open_tokens(text: Text, keys: list[TokenKey]) -> Masked:
    """Return the values of tokens under any of these keys; everything else is UNFIT."""
    which, sealed = _decode(text, keys)
    lengths = np.where(which >= 0, np.diff(sealed.offsets) - TAG, 0)
    offsets = ends(lengths)
    plain = np.zeros(int(offsets[-1]), np.uint8)
    status = np.where(text.valid & (which < 0), np.uint8(UNFIT), np.uint8(0))
    for number in np.unique(which[which >= 0]):
        status |= Sealer(keys[number]).open(sealed, which == number, plain, offsets)
    opened = Text(plain, offsets, text.valid & (status == 0))
    return unpadded(opened, status) if any(key.pad_to for key in keys) else Masked(opened, status)


def _decode(text: Text, keys: list[TokenKey]) -> tuple[NDArray[np.int64], Text]:
    """Return for each value the number of its key (-1 none) and V || C."""
    prefixes = np.zeros((len(keys), 20), np.uint8)
    for row, key in zip(prefixes, keys, strict=True):
        row[: len(key.prefix)] = np.frombuffer(key.prefix, np.uint8)
    sizes = np.array([len(key.prefix) for key in keys], np.int64)
    which = np.full(len(text), -1, np.int64)
    # A token is longer than its content: at most three quarters of the column is needed.
    raw = np.zeros(int(text.offsets[-1] - text.offsets[0]) + 8, np.uint8)
    offsets = np.zeros(len(text) + 1, np.int64)
    decode(text.data, text.offsets, text.valid, prefixes, sizes, SIXES, which, raw, offsets)
    return which, Text(raw, offsets, which >= 0)


def _encoded(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return (lengths * 8 + 5) // 6


def _s2v_start(key: bytes, associated: list[bytes]) -> bytes:
    """RFC 5297, section 2.4: the chain over all strings but the last."""
    state = cmac(key, bytes(16))
    for string in associated:
        state = bytes(a ^ b for a, b in zip(double(state), cmac(key, string), strict=True))
    return state


@kernel
def emit(
    data: Any,
    offsets: Any,
    lane: Any,
    base: Any,
    tags: Any,
    stream: Any,
    prefix: Any,
    pairs: Any,
    raw: Any,
    words: Any,
    output: Any,
    places: Any,
) -> None:
    """Write prefix and base64url of V || C: three words are four times eight characters.

    `raw` is scratch, and `words` the same flat: V || C of one value, first byte highest.
    """
    for i in range(lane.size):
        place = lane[i]
        if place < 0:
            continue
        p, length, q = offsets[i], offsets[i + 1] - offsets[i], U(places[i])
        copy(prefix, 0, prefix.size, output, q)
        q += U(prefix.size)
        one, two = get_pair(tags, 0, place)
        put_pair(raw, 0, 0, swap(one), swap(two))
        blocks, rest = length >> 4, length & 15
        for j in range(blocks):
            one, two = get_pair(stream, base[j], place)
            one, two = one ^ load(data, p + 16 * j), two ^ load(data, p + 16 * j + 8)
            put_pair(raw, 1, j, swap(one), swap(two))
        one, two = U(0), U(0)
        if rest:
            p += 16 * blocks
            one, two = get_pair(stream, base[blocks], place)
            one, two = (
                front(one ^ load_part(data, p, rest), rest),
                front(two ^ load_part(data, p + 8, rest - 8), rest - 8),
            )
        put_pair(raw, 1, blocks, swap(one), swap(two))
        put_pair(raw, 2, blocks, U(0), U(0))
        for m in range(U(0), U((length + 23) >> 3), U(3)):
            one, two, three = words[m], words[m + U(1)], words[m + U(2)]
            store(output, q, eight(pairs, one >> U(16)))
            store(output, q + U(8), eight(pairs, (one & U(0xFFFF)) << U(32) | two >> U(32)))
            store(output, q + U(16), eight(pairs, (two & U(0xFFFFFFFF)) << U(16) | three >> U(48)))
            store(output, q + U(24), eight(pairs, three & U(0xFFFFFFFFFFFF)))
            q += U(32)


@kernel
def load_tags(data: Any, offsets: Any, lane: Any, tags: Any) -> None:
    """Read V of each value in a lane."""
    for i in range(lane.size):
        if lane[i] >= 0:
            put_pair(tags, 0, lane[i], load(data, offsets[i]), load(data, offsets[i] + 8))


@kernel
def uncover(data: Any, offsets: Any, lane: Any, base: Any, stream: Any, plain: Any, places: Any) -> None:
    """XOR C with the keystream."""
    for i in range(lane.size):
        place = lane[i]
        if place < 0:
            continue
        p, q = offsets[i] + 16, places[i]
        length = places[i + 1] - q
        for j in range(length >> 3):
            word = load(data, p + 8 * j) ^ stream[base[j >> 1] + place, j & 1]
            store(plain, q + 8 * j, word)
        j = length >> 3
        if length & 7:
            word = load_part(data, p + 8 * j, length & 7) ^ stream[base[j >> 1] + place, j & 1]
            for k in range(length & 7):
                plain[q + 8 * j + k] = np.uint8((word >> U(8 * k)) & U(255))


@kernel
def compare(tags: Any, macs: Any, lane: Any, plain: Any, places: Any, status: Any) -> None:
    """Mark wrong tags and wipe what they covered; the whole tag is compared in constant time."""
    for i in range(lane.size):
        place = lane[i]
        if place >= 0 and ((tags[place, 0] ^ macs[place, 0]) | (tags[place, 1] ^ macs[place, 1])) != U(0):
            status[i] = 1
            for k in range(places[i], places[i + 1]):
                plain[k] = 0
