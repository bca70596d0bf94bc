"""Verifies one batch at its place: its content, its signature, and that it fits the batches beside it. Pure.

1. It finds what was changed in the batch, a forged signature, and a batch beside it that is gone or does not follow.
2. What only the rest of the log shows it does not find: two records with one id, a lost tail, a review that no passkey
   signed. For that a `Verifier` reads the whole log.
"""

from pdp.audit.batch import HASH_BYTES, head, is_signed
from pdp.audit.verify import Tampered, Verifier
from pdp.v1.audit_pb2 import Batch


def require_intact(verifier: Verifier, batch: Batch, before: Batch | None, after: Batch | None) -> None:
    """Raise `Tampered` unless a batch is as it was signed and stands between these two.

    `verifier` has read nothing yet. `after` is the next one that is there: a writer's newest batch has none, its first
    has none before it.
    """
    if before is not None:
        verifier.begin_behind(before)
    elif batch.seq > 0:
        raise Tampered("gap", _place(batch.writer, batch.seq - 1), "gone, though the batch behind it is there")
    verifier.add(batch)
    if after is not None:
        _require_next(verifier, batch, after)


def _require_next(verifier: Verifier, batch: Batch, after: Batch) -> None:
    if after.seq != batch.seq + 1:
        raise Tampered("gap", _place(batch.writer, batch.seq + 1), "gone, though a batch behind it is there")
    if not _follows(verifier, batch, after):
        raise Tampered("chain", _place(after.writer, after.seq), "does not follow from the batch before it")


def _follows(verifier: Verifier, batch: Batch, after: Batch) -> bool:
    """Whether what was signed of a batch names the one before it."""
    leaves = [after.leaves[at : at + HASH_BYTES] for at in range(0, len(after.leaves), HASH_BYTES)]
    is_whole = head(after.prev, after.writer, after.seq, leaves) == after.head
    signed = is_whole and is_signed(verifier.key, verifier.realm, after.head, after.signature)
    return signed and after.prev == batch.head


def _place(writer: bytes, seq: int) -> str:
    return f"writer {writer.hex()} batch {seq}"
