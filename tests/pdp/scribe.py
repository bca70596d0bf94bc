"""A writer of logs, of wrong ones as well: what somebody with the audit key could do."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit import batch as batches
from pdp.audit.record import Entry
from pdp.v1.audit_pb2 import Batch, Payload


class Scribe:
    """Writes batches like a server's writer."""

    def __init__(self, key: Ed25519PrivateKey, realm: str = "dev") -> None:
        self.key, self.realm = key, realm

    def batch(self, entries: Sequence[Entry], writer: bytes, seq: int, prev: bytes) -> Batch:
        leaves = [batches.leaf(one.record) for one in entries]
        head = batches.head(prev, writer, seq, leaves)
        return Batch(
            writer=writer,
            seq=seq,
            prev=prev,
            head=head,
            signature=batches.sign(self.key, self.realm, head),
            records=[one.record for one in entries],
            payloads=[Payload(salt=one.salt, payload=one.payload) for one in entries],
            leaves=b"".join(leaves),
        )

    def behind(self, last: Batch, *entries: Entry) -> Batch:
        return self.batch(entries, last.writer, last.seq + 1, last.head)

    def first(self, *entries: Entry, writer: bytes = b"w" * 16) -> Batch:
        return self.batch(entries, writer, 0, batches.FIRST_PREV)
