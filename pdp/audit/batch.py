"""A batch, the records that a writer makes durable at once: leaf hashes, RFC 6962 root, chained head and signature."""

import hashlib
from collections.abc import Iterator, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pdp.audit.record import Entry
from pdp.merkle import leaf, root
from pdp.v1.audit_pb2 import Batch, Payload

MAX_RECORDS = 1000
"""Records in one batch: a limit of the contract, which one BatchAuthorize of 1,000 items can fill."""
MAX_BYTES = 4 * 1024 * 1024 - 256 * 1024
"""Bytes of the records and payloads in one batch. A message holds 4 MiB; 256 KiB are left for the rest of the batch."""
FIRST_PREV = bytes(32)
"""The `prev` of a writer's first batch: 32 zero bytes."""
HASH_BYTES = 32
"""Bytes of a SHA-256 hash."""
WRITER_BYTES = 16
"""Bytes of a writer's id, which is random."""


def head(prev: bytes, writer: bytes, seq: int, leaves: Sequence[bytes]) -> bytes:
    """SHA-256(0x02 || prev || writer || seq || n || root) with n leaves; integers are 8 bytes big-endian."""
    counts = seq.to_bytes(8, "big") + len(leaves).to_bytes(8, "big")
    return hashlib.sha256(b"\x02" + prev + writer + counts + root(leaves)).digest()


def signed(
    key: Ed25519PrivateKey, realm: str, entries: Sequence[Entry], *, writer: bytes, seq: int, prev: bytes
) -> Batch:
    """The batch of these entries in the given place of a writer's chain, signed with the audit key."""
    leaves = [leaf(entry.record) for entry in entries]
    head_hash = head(prev, writer, seq, leaves)
    return Batch(
        writer=writer,
        seq=seq,
        prev=prev,
        head=head_hash,
        signature=sign(key, realm, head_hash),
        records=[entry.record for entry in entries],
        payloads=[Payload(salt=entry.salt, payload=entry.payload) for entry in entries],
        leaves=b"".join(leaves),
    )


def within_limits(entries: Sequence[Entry], most: int = MAX_RECORDS) -> Iterator[Sequence[Entry]]:
    """The entries, cut into runs of at most `most` that each fit into one batch."""
    first = size = 0
    for index, item in enumerate(entries):
        if index - first == most or (index > first and size + item.size > MAX_BYTES):
            yield entries[first:index]
            first, size = index, 0
        size += item.size
    if first < len(entries):
        yield entries[first:]


def sign(key: Ed25519PrivateKey, realm: str, head_hash: bytes) -> bytes:
    """The audit key's signature over a head."""
    return key.sign(_signed_bytes(realm, head_hash))


def is_signed(key: Ed25519PublicKey, realm: str, head_hash: bytes, signature: bytes) -> bool:
    """Whether `signature` is the audit key's signature over this head in this realm."""
    try:
        key.verify(signature, _signed_bytes(realm, head_hash))
    except InvalidSignature:
        return False
    return True


def _signed_bytes(realm: str, head_hash: bytes) -> bytes:
    return f"placet/{realm}/head/v1\n".encode() + head_hash
