"""The page of one record of the log, for auditors: all of it, where it stands, and whether that is as it was signed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pdp.deadline import MAX_SECONDS
from pdp.http.route import HTML, Answer, Holder, Page, PageCall
from pdp.inbox import displayed, look
from pdp.inbox.look import Exact
from pdp.merkle import leaf, root
from pdp.service.whole_record import CheckedRecord, WholeRecords
from pdp.view.record import leaves

GET = "pdp.v1.AuditService/GetRecord"


class RecordPages:
    """The pages of records. For people who may not audit they do not exist."""

    def __init__(self, whole: WholeRecords) -> None:
        self._whole = whole

    def routes(self) -> list[Page]:
        """What is offered."""
        return [Page("GET", "/inbox/records/{id}", GET, self.show, usual_seconds=MAX_SECONDS, hides=True)]

    async def show(self, call: PageCall) -> Answer:
        """The page."""
        async with call.admitted(1):
            found = await self._whole.checked(call.parameters["id"])
            return Answer(await asyncio.to_thread(_page, found, call.holder), media=HTML)


def _page(found: CheckedRecord, holder: Holder) -> bytes:
    """The page in HTML, made in a thread: a record may have megabytes."""
    return look.page("record", _members(found), holder)


def _members(found: CheckedRecord) -> dict[str, Any]:
    """What the template shows of a record."""
    stored = found.stored
    batch = stored.batch
    return {
        "id": Exact(stored.members["id"]),
        "at": _time(stored.members),
        "fault": found.fault,
        "is_newest": found.is_newest,
        "kid": found.kid,
        "writer": batch.writer.hex(),
        "seq": batch.seq,
        "place": stored.index + 1,
        "count": len(batch.records),
        "head": batch.head.hex(),
        "tree": root([leaf(record) for record in batch.records]).hex(),
        "hash": leaf(stored.record).hex(),
        "signed": displayed.lines(leaves("record", stored.record)),
        "payload": displayed.lines(leaves("payload", stored.held.payload)),
    }


def _time(members: Mapping[str, Any]) -> datetime | None:
    """When it was recorded, as the record says; None where that is damaged."""
    try:
        at = datetime.fromisoformat(str(members["time"]))
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo else None
