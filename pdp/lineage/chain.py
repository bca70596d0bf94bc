"""What makes documents of the log evidence: each head holds all before it, and the audit key signs number and head.

1. head = SHA-256(head before || of each entry its length (8 bytes, big-endian) and its bytes); before the first one
   stand 32 zero bytes.
2. The hash of a snapshot is SHA-256 over a text of its own, the log's head at its number and its bytes: no document's
   head is the hash of a snapshot.
3. The signature is over `placet/<realm>/lineage/v1` and a line feed, the number (8 bytes, big-endian) and the hash.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SNAPSHOT = b"placet lineage snapshot v1\n"


class Broken(Exception):
    """What is stored is not what servers of this deployment wrote; the text says what of it, without its values."""


class Place(NamedTuple):
    """A number of the log and the head there; by default the beginning, before the first document."""

    n: int = 0
    head: bytes = bytes(32)


def next_place(before: Place, entries: Sequence[bytes]) -> Place:
    """The place of a document with these entries that follows `before`."""
    hashed = hashlib.sha256(before.head)
    for entry in entries:
        hashed.update(len(entry).to_bytes(8, "big"))
        hashed.update(entry)
    return Place(before.n + 1, hashed.digest())


def snapshot_hash(head: bytes, data: bytes) -> bytes:
    """The hash of a snapshot of the log with this head."""
    return hashlib.sha256(_SNAPSHOT + head + data).digest()


class Signer:
    """Signs for a realm with its audit key, and checks what was signed."""

    def __init__(self, key: Ed25519PrivateKey, realm: str) -> None:
        self._key, self._public = key, key.public_key()
        self._text = f"placet/{realm}/lineage/v1\n".encode()

    def sign(self, n: int, hashed: bytes) -> bytes:
        """The signature over a number and a hash."""
        return self._key.sign(self._signed(n, hashed))

    def has_signed(self, n: int, hashed: bytes, signature: bytes) -> bool:
        """Whether this is the signature over a number and a hash."""
        try:
            self._public.verify(signature, self._signed(n, hashed))
        except InvalidSignature:
            return False
        return True

    def follow(self, before: Place, after: Place, entries: Sequence[bytes], signature: bytes) -> Place:
        """`after`, if it is the place of a document with these entries behind `before`. Raises `Broken` if not."""
        if after.n != before.n + 1:
            raise Broken(f"number {before.n + 1} is missing")
        if next_place(before, entries) != after:
            raise Broken(f"the entries of number {after.n} are not those of its head")
        if not self.has_signed(*after, signature):
            raise Broken(f"the signature of number {after.n} is not of the audit key")
        return after

    def _signed(self, n: int, hashed: bytes) -> bytes:
        return self._text + n.to_bytes(8, "big") + hashed
