"""What an accepted gap excuses, and what a verification makes of it."""

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit import gap
from pdp.audit.record import Kind, entry
from pdp.audit.verify import Anchor, Tampered, Verifier
from pdp.v1.audit_pb2 import Batch, SeenBatch
from tests.pdp.scribe import Scribe
from tests.pdp.specimens import BOT, records

SCRIBE = Scribe(Ed25519PrivateKey.generate())
A, B, NEW = b"a" * 16, b"b" * 16, b"n" * 16


def chain(writer: bytes, count: int) -> list[Batch]:
    made = [SCRIBE.first(*records(), writer=writer)]
    while len(made) < count:
        made.append(SCRIBE.behind(made[-1], *records()))
    return made


def verified(*log: Batch, since: Anchor | None = None) -> tuple[Verifier, Anchor]:
    verifier = Verifier("dev", SCRIBE.key.public_key(), "kid", since)
    for batch in log:
        verifier.add(batch)
    return verifier, verifier.finish()


def seen(batch: Batch) -> SeenBatch:
    return SeenBatch(writer=batch.writer, seq=batch.seq, head=batch.head)


WHOLE = [*chain(A, 4), *chain(B, 2)]
RESTORED = WHOLE[:2]
"""The restore lost half of one writer, and another one."""
ACCEPTED = gap.accepted(
    BOT, [seen(WHOLE[3]), seen(WHOLE[5])], [seen(WHOLE[1])], [seen(WHOLE[3]), seen(WHOLE[5])], "the disk broke"
)
LATER = [*RESTORED, SCRIBE.first(ACCEPTED, writer=NEW)]


def test_what_was_lost_is_excused_and_named() -> None:
    _, anchor = verified(*WHOLE)
    with pytest.raises(Tampered, match="tail-missing"):
        verified(*RESTORED, since=anchor)
    verifier, _ = verified(*LATER, since=anchor)
    [accepted] = verifier.gaps.values()
    assert (accepted.by, accepted.reason, accepted.record_id) == (BOT.identity, "the disk broke", ACCEPTED.id)
    assert accepted.sentences == [
        f"writer {A.hex()}: batches up to 3 were seen, and 1 is the last now",
        f"writer {B.hex()}: batches up to 1 were seen, and all are gone",
    ]


def test_anchor_within_what_was_lost_is_excused_and_one_behind_it_is_not() -> None:
    verified(*LATER, since=verified(*WHOLE[:3])[1])
    longer = [*WHOLE[:4], SCRIBE.behind(WHOLE[3], *records())]
    with pytest.raises(Tampered, match="tail-missing"):
        verified(*LATER, since=verified(*longer)[1])


def test_what_was_there_when_a_gap_was_accepted_must_stay() -> None:
    with pytest.raises(Tampered, match="who accepted a gap has seen batches up to 1"):
        verified(RESTORED[0], LATER[-1])


def test_another_batch_in_the_place_of_one_that_was_not_lost_is_no_gap() -> None:
    other = SCRIBE.behind(RESTORED[0], *records())
    with pytest.raises(Tampered, match="forked"):
        verified(RESTORED[0], other, since=verified(*RESTORED)[1])


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"caller":{"identity":"a"},"details":{"lost":["x"],"old":{}}}'])
def test_record_that_names_no_gap_is_found(payload: bytes) -> None:
    with pytest.raises(Tampered, match="it records a gap but names none"):
        verified(SCRIBE.first(entry(Kind.GAP_ACCEPTED, payload)))


def test_record_holds_both_anchors() -> None:
    details = orjson.loads(ACCEPTED.payload)["details"]
    assert details["old"][A.hex()] == [3, WHOLE[3].head.hex()]
    assert details["new"] == {A.hex(): [1, WHOLE[1].head.hex()]}
