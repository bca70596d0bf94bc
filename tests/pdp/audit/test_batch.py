import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit import batch
from pdp.audit.record import Kind, entry
from pdp.merkle import leaf, root

LEAVES = [leaf(record) for record in (b"", b"\x00", b"\x10")]


def test_head_is_the_formula_of_the_contract() -> None:
    prev, writer, leaves = b"p" * 32, b"w" * 16, LEAVES
    expected = b"\x02" + prev + writer + (258).to_bytes(8, "big") + (3).to_bytes(8, "big") + root(LEAVES)
    assert batch.head(prev, writer, 258, leaves) == hashlib.sha256(expected).digest()
    assert bytes(32) == batch.FIRST_PREV


def test_head_changes_with_each_part() -> None:
    leaves = LEAVES
    heads = {
        batch.head(b"p" * 32, b"w" * 16, 1, leaves),
        batch.head(b"q" * 32, b"w" * 16, 1, leaves),
        batch.head(b"p" * 32, b"v" * 16, 1, leaves),
        batch.head(b"p" * 32, b"w" * 16, 2, leaves),
        batch.head(b"p" * 32, b"w" * 16, 1, leaves[:2]),
        batch.head(b"p" * 32, b"w" * 16, 1, leaves[::-1]),
    }
    assert len(heads) == 6


def test_signature_is_over_realm_and_head() -> None:
    key, head = Ed25519PrivateKey.generate(), b"h" * 32
    signature = batch.sign(key, "dev", head)
    key.public_key().verify(signature, b"placet/dev/head/v1\n" + head)
    assert batch.is_signed(key.public_key(), "dev", head, signature)
    for realm, other_head, other in (
        ("prod", head, signature),
        ("dev", b"g" * 32, signature),
        ("dev", head, bytes(64)),
        ("dev", head, signature[:-1]),
        ("dev", head, b""),
    ):
        assert not batch.is_signed(key.public_key(), realm, other_head, other)
    assert not batch.is_signed(Ed25519PrivateKey.generate().public_key(), "dev", head, signature)


@pytest.mark.parametrize(
    ("count", "payload", "runs"),
    [(0, 1, []), (1000, 1, [1000]), (1001, 1, [1000, 1]), (200, 32 * 1024, None), (2, 5_000_000, [1, 1])],
)
def test_entries_are_cut_into_batches_within_the_limits(count: int, payload: int, runs: list[int] | None) -> None:
    parts = list(batch.within_limits([entry(Kind.DECISION, b"x" * payload) for _ in range(count)]))
    assert sum(map(len, parts)) == count
    if runs is not None:
        assert [len(part) for part in parts] == runs
    for part in parts:
        assert len(part) <= batch.MAX_RECORDS
        assert len(part) == 1 or sum(item.size for item in part) <= batch.MAX_BYTES
