"""AuditService: the log, for auditors."""

from collections.abc import AsyncIterator

from pdp import identifier
from pdp.audit import event
from pdp.audit.record import Kind
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.recording.writer import Writer
from pdp.service import page
from pdp.service.record import summary
from pdp.service.whole_record import WholeRecords
from pdp.store.batches import Batches
from pdp.store.records import Records
from pdp.v1.audit_pb2 import (
    Batch,
    ExportRecordsRequest,
    ExportRecordsResponse,
    GetRecordRequest,
    GetRecordResponse,
    ListRecordsRequest,
    ListRecordsResponse,
)
from pdp.v1.request_pb2 import Effect

MESSAGE_BYTES = 2 * 1024 * 1024
"""Bytes up to which batches are sent together in one message; a larger batch goes alone."""


class AuditService:
    """Reads of the log."""

    def __init__(self, batches: Batches, records: Records, writer: Writer, whole: WholeRecords) -> None:
        self._batches, self._records, self._writer, self._whole = batches, records, writer, whole

    async def ListRecords(self, request: ListRecordsRequest, caller: Caller) -> ListRecordsResponse:  # noqa: ARG002
        """A page of the projection."""
        with BadFields() as bad:
            limit, before = bad.tried(page.size, request.page_size), bad.tried(page.before, request.page_token)
            kind, effect = bad.tried(_kind, request.kind), bad.tried(_effect, request.effect)
            approval_id = bad.tried(_approval_id, request.approval_id)
        more = limit + 1
        found = await self._records.page(kind=kind, effect=effect, approval_id=approval_id, before=before, limit=more)
        found, token = page.cut(found, limit, lambda members: str(members["id"]))
        return ListRecordsResponse(records=[summary(members) for members in found], next_page_token=token)

    async def GetRecord(self, request: GetRecordRequest, caller: Caller) -> GetRecordResponse:  # noqa: ARG002
        """One record, found in the log at once."""
        return (await self._whole.stored(request.record_id)).full()

    async def ExportRecords(
        self,
        request: ExportRecordsRequest,  # noqa: ARG002  # has no members
        caller: Caller,
    ) -> AsyncIterator[ExportRecordsResponse]:
        """The whole log. That somebody took it is in it first."""
        await self._writer.append([event.by_caller(Kind.EXPORT, caller)])
        waiting: list[Batch] = []
        size = 0
        async for batch in self._batches.all():
            if waiting and size + batch.ByteSize() > MESSAGE_BYTES:
                yield ExportRecordsResponse(batches=waiting)
                waiting, size = [], 0
            waiting.append(batch)
            size += batch.ByteSize()
        if waiting:
            yield ExportRecordsResponse(batches=waiting)


def _kind(text: str) -> str:
    if text and text not in frozenset(map(str, Kind)):
        raise InvalidRequest.field("kind", f"must be one of {', '.join(Kind)}")
    return text


def _effect(effect: Effect) -> str:
    if effect not in Effect.values():
        raise InvalidRequest.field("effect", "has a value that this server does not know")
    return "" if effect == Effect.EFFECT_UNSPECIFIED else Effect.Name(effect).removeprefix("EFFECT_")


def _approval_id(text: str) -> str:
    if text and identifier.uuid_bytes(text) is None:
        raise InvalidRequest.field("approval_id", 'is not an approval id; one looks like "apr_" and 32 digits')
    return text
