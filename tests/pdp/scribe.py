"""A writer of logs, of wrong ones as well: what somebody with the audit key could do."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.batch import FIRST_PREV, signed
from pdp.audit.record import Entry
from pdp.v1.audit_pb2 import Batch


class Scribe:
    """Writes batches like a server's writer."""

    def __init__(self, key: Ed25519PrivateKey, realm: str = "dev") -> None:
        self.key, self.realm = key, realm

    def batch(self, entries: Sequence[Entry], writer: bytes, seq: int, prev: bytes) -> Batch:
        return signed(self.key, self.realm, entries, writer=writer, seq=seq, prev=prev)

    def behind(self, last: Batch, *entries: Entry) -> Batch:
        return self.batch(entries, last.writer, last.seq + 1, last.head)

    def first(self, *entries: Entry, writer: bytes = b"w" * 16) -> Batch:
        return self.batch(entries, writer, 0, FIRST_PREV)
