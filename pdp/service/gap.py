"""A person accepts what a restore lost, and the log says so from then on."""

from collections.abc import Sequence

from pdp.audit import gap
from pdp.audit.batch import HASH_BYTES
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.recording.writer import Writer
from pdp.service.export_request import require_each_once
from pdp.store.chains import Chains
from pdp.v1.audit_pb2 import AcceptGapRequest, AcceptGapResponse, SeenBatch

MOST_WRITERS = 10_000
"""Writers of an anchor that a record of a gap can name: their two anchors are 2 MB of the batch's 3.75."""
MOST_REASON = 2000
"""Characters of the reason."""


class Gaps:
    """Compares anchors with the log, and records the gap between two."""

    def __init__(self, chains: Chains, writer: Writer) -> None:
        self._chains, self._writer = chains, writer

    async def accept(self, request: AcceptGapRequest, caller: Caller) -> AcceptGapResponse:
        """Record the gap. Raises `InvalidRequest` where nothing was lost, or the log is not as `new` says."""
        _require_anchors(request)
        stored = await self._chains.heads([(seen.writer, seen.seq) for seen in (*request.old, *request.new)])
        lost = [seen for seen in request.old if stored.get((seen.writer, seen.seq)) != seen.head]
        if not lost:
            raise InvalidRequest.field("old", "saw nothing that the log does not have; there is no gap to accept")
        if any(stored.get((seen.writer, seen.seq)) != seen.head for seen in request.new):
            raise InvalidRequest.field("new", "saw what the log does not have; take an anchor of the log as it is now")
        made = gap.accepted(caller, request.old, request.new, lost, request.reason)
        await self._writer.append([made])
        return AcceptGapResponse(record_id=made.id, lost=lost)


def _require_anchors(request: AcceptGapRequest) -> None:
    if not len(request.reason.strip()) >= 1 or len(request.reason) > MOST_REASON:
        raise InvalidRequest.field("reason", f"must have 1 to {MOST_REASON:,} characters")
    _require_seen("old", request.old)
    _require_seen("new", request.new)


def _require_seen(name: str, anchor: Sequence[SeenBatch]) -> None:
    require_each_once(name, [seen.writer for seen in anchor], MOST_WRITERS)
    for index, seen in enumerate(anchor):
        if seen.seq < 0 or len(seen.head) != HASH_BYTES:
            raise InvalidRequest.field(f"{name}[{index}]", f"needs a seq from 0 and a head of {HASH_BYTES} bytes")
