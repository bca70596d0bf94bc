"""Heads hold all that is before them, and only the audit key signs them."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.lineage.chain import Broken, Place, Signer, next_place, snapshot_hash

KEY = Ed25519PrivateKey.generate()
ENTRIES = [b"one", b"two"]


def test_head_is_the_hash_of_the_one_before_and_the_entries_with_their_lengths() -> None:
    text = bytes(32) + b"\0" * 7 + b"\3one" + b"\0" * 7 + b"\3two"
    assert next_place(Place(), ENTRIES) == (1, hashlib.sha256(text).digest())


def test_entries_that_are_cut_elsewhere_have_another_head() -> None:
    heads = {next_place(Place(), entries).head for entries in ([b"onetwo"], [b"one", b"two"], [b"o", b"netwo"], [])}
    assert len(heads) == 4


def test_what_is_signed_is_of_its_realm_its_number_and_its_key() -> None:
    signer, head = Signer(KEY, "dev"), bytes(range(32))
    signature = signer.sign(7, head)
    assert signature == KEY.sign(b"placet/dev/lineage/v1\n" + bytes(7) + b"\7" + head)
    assert signer.has_signed(7, head, signature)
    others = [Signer(KEY, "other"), Signer(Ed25519PrivateKey.generate(), "dev")]
    assert not any(other.has_signed(7, head, signature) for other in others)
    assert not signer.has_signed(8, head, signature)
    assert not signer.has_signed(7, bytes(32), signature)
    assert not signer.has_signed(7, head, b"")


def test_snapshot_has_a_hash_that_no_document_has() -> None:
    before, data = bytes(32), b"".join(len(entry).to_bytes(8, "big") + entry for entry in ENTRIES)
    assert snapshot_hash(before, data) != next_place(Place(0, before), ENTRIES).head
    assert snapshot_hash(before, data) != snapshot_hash(bytes([1] * 32), data)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"after": Place(2, next_place(Place(), ENTRIES).head)}, "number 1 is missing"),
        ({"entries": [b"one"]}, "the entries of number 1 are not those of its head"),
        ({"before": Place(0, bytes([1] * 32))}, "the entries of number 1 are not those of its head"),
        ({"signature": bytes(64)}, "the signature of number 1 is not of the audit key"),
    ],
)
def test_what_does_not_follow_is_refused(changes: dict[str, object], told: str) -> None:
    signer, after = Signer(KEY, "dev"), next_place(Place(), ENTRIES)
    good = {"before": Place(), "after": after, "entries": ENTRIES, "signature": signer.sign(*after)}
    assert signer.follow(**good) == after  # type: ignore[arg-type]
    with pytest.raises(Broken, match=told):
        signer.follow(**(good | changes))  # type: ignore[arg-type]
