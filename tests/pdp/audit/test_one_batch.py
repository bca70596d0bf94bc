"""One batch is verified where it stands: what was done to it or beside it is named, and nothing where nothing was."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.batch import sign
from pdp.audit.one_batch import require_intact
from pdp.audit.record import Kind, entry
from pdp.audit.verify import Tampered, Verifier
from pdp.v1.audit_pb2 import Batch
from tests.pdp.scribe import Scribe

Chain: TypeAlias = list[Batch | None]
"""The batch before, the batch, the batch after."""
KEY = Ed25519PrivateKey.generate()
OURS, THEIRS = Scribe(KEY), Scribe(Ed25519PrivateKey.generate())


def chain(scribe: Scribe = OURS, count: int = 4) -> list[Batch]:
    batches = [scribe.first(entry(Kind.EXPORT), entry(Kind.EXPORT))]
    while len(batches) < count:
        batches.append(scribe.behind(batches[-1], entry(Kind.EXPORT), entry(Kind.EXPORT)))
    return batches


def fault(before: Batch | None, batch: Batch | None, after: Batch | None) -> str:
    assert batch is not None
    verifier = Verifier("dev", KEY.public_key(), "kid")
    try:
        require_intact(verifier, batch, before, after)
    except Tampered as flaw:
        return flaw.kind
    return ""


def test_batch_is_intact_at_each_place_of_its_chain() -> None:
    places: Sequence[Batch | None] = [None, *chain(), None]
    for before, batch, after in zip(places, places[1:], places[2:], strict=False):
        assert not fault(before, batch, after)


def record(three: Chain) -> None:
    assert three[1]
    three[1].records[1] = three[1].records[1].replace(b"export", b"exporT")


def payload(three: Chain) -> None:
    assert three[1]
    three[1].payloads[0].payload = b"[]"


def erased(three: Chain) -> None:
    assert three[1]
    three[1].payloads[0].payload = three[1].payloads[0].salt = b""


def signature(three: Chain) -> None:
    assert three[1]
    three[1].signature = bytes(64)


def before_is_gone(three: Chain) -> None:
    three[0] = None


def before_is_not_signed(three: Chain) -> None:
    assert three[0]
    three[0].signature = bytes(64)


def before_is_another(three: Chain) -> None:
    three[0] = chain()[0]


def after_is_another(three: Chain) -> None:
    three[2] = chain()[2]


def after_is_gone(three: Chain) -> None:
    assert three[2]
    three[2] = OURS.behind(three[2], entry(Kind.EXPORT))


def after_is_not_signed(three: Chain) -> None:
    assert three[2]
    three[2].signature = bytes(64)


def after_says_another_before(three: Chain) -> None:
    """Its head is signed, and does not belong to what it says of the batch before."""
    assert three[1]
    assert three[2]
    three[2].CopyFrom(chain()[2])
    three[2].prev = three[1].head
    three[2].signature = sign(KEY, "dev", three[2].head)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (record, "record"),
        (payload, "payload"),
        (erased, "payload-missing"),
        (signature, "signature"),
        (before_is_gone, "gap"),
        (before_is_not_signed, "signature"),
        (before_is_another, "chain"),
        (after_is_another, "chain"),
        (after_is_gone, "gap"),
        (after_is_not_signed, "chain"),
        (after_says_another_before, "chain"),
    ],
)
def test_what_was_done_to_it_or_beside_it_is_named(change: Callable[[Chain], None], kind: str) -> None:
    three: Chain = list(chain(count=3))
    change(three)
    assert fault(*three) == kind


def test_batches_of_another_key_are_not_intact() -> None:
    assert fault(*chain(THEIRS, 3)) == "signature"
