import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.audit import batch

# The inputs and roots of RFC 6962's reference implementation (certificate-transparency, merkle_tree_test).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(records: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not records:
        return hashlib.sha256(b"").digest()
    if len(records) == 1:
        return hashlib.sha256(b"\x00" + records[0]).digest()
    k = 1
    while k * 2 < len(records):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(records[:k]) + naive_root(records[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_root_is_that_of_the_reference_implementation(size: int) -> None:
    assert batch.root([batch.leaf(record) for record in LEAVES[:size]]).hex() == ROOTS[size]
    assert naive_root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 255, 256, 257, 999, 1000])
def test_root_equals_the_recursion_of_the_rfc(size: int) -> None:
    records = [str(index).encode() for index in range(size)]
    assert batch.root([batch.leaf(record) for record in records]) == naive_root(records)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=40))
def test_root_of_any_records_equals_the_recursion(records: list[bytes]) -> None:
    assert batch.root([batch.leaf(record) for record in records]) == naive_root(records)


def test_head_is_the_formula_of_the_contract() -> None:
    prev, writer, leaves = b"p" * 32, b"w" * 16, [batch.leaf(record) for record in LEAVES[:3]]
    expected = b"\x02" + prev + writer + (258).to_bytes(8, "big") + (3).to_bytes(8, "big") + bytes.fromhex(ROOTS[3])
    assert batch.head(prev, writer, 258, leaves) == hashlib.sha256(expected).digest()
    assert bytes(32) == batch.FIRST_PREV


def test_head_changes_with_each_part() -> None:
    leaves = [batch.leaf(record) for record in LEAVES[:3]]
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
