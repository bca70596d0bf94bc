"""AuditService: the log, for auditors."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from pdp import identifier
from pdp.audit import event
from pdp.audit.record import Kind
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.recording.writer import Writer
from pdp.service import export_request, page
from pdp.service.gap import Gaps
from pdp.service.record import summary
from pdp.service.whole_record import WholeRecords
from pdp.store.chains import Chains
from pdp.store.records import Place, Records
from pdp.turns import Turns
from pdp.v1.audit_pb2 import (
    AcceptGapRequest,
    AcceptGapResponse,
    ExportRecordsRequest,
    ExportRecordsResponse,
    GetRecordRequest,
    GetRecordResponse,
    ListRecordsRequest,
    ListRecordsResponse,
)
from pdp.v1.request_pb2 import Effect


class AuditService:
    """Reads of the log."""

    def __init__(self, chains: Chains, records: Records, writer: Writer, whole: WholeRecords, turns: Turns) -> None:
        self._chains, self._records, self._writer, self._whole = chains, records, writer, whole
        self._gaps, self._turns = Gaps(chains, writer), turns

    async def ListRecords(self, request: ListRecordsRequest, caller: Caller) -> ListRecordsResponse:  # noqa: ARG002
        """A page of the log."""
        with BadFields() as bad:
            limit, after = bad.tried(page.size, request.page_size), bad.tried(_place, request.page_token)
            kind, effect = bad.tried(_kind, request.kind), bad.tried(_effect, request.effect)
            approval_id = bad.tried(_approval_id, request.approval_id)
        more = limit + 1
        found = await self._records.page(kind=kind, effect=effect, approval_id=approval_id, after=after, limit=more)
        found, token = page.cut(found, limit, lambda listed: str(listed.place))
        return ListRecordsResponse(records=[summary(listed.members) for listed in found], next_page_token=token)

    async def GetRecord(self, request: GetRecordRequest, caller: Caller) -> GetRecordResponse:  # noqa: ARG002
        """One record, found in the log at once."""
        return (await self._whole.stored(request.record_id)).full()

    async def ExportRecords(
        self, request: ExportRecordsRequest, caller: Caller
    ) -> AsyncGenerator[ExportRecordsResponse]:
        """The log, or what is behind the places that the caller names. That somebody took it is in it first."""
        after, writers = export_request.asked(request)
        await self._writer.append([event.by_caller(Kind.EXPORT, caller)])
        answers = self._newest() if request.newest_only else self._log(after, writers, caller)
        async with aclosing(answers) as sent:
            async for answer in sent:
                yield answer

    async def AcceptGap(self, request: AcceptGapRequest, caller: Caller) -> AcceptGapResponse:
        """A gap on record. The log must have lost what was seen before, and have what is seen now."""
        return await self._gaps.accept(request, caller)

    async def _newest(self) -> AsyncGenerator[ExportRecordsResponse]:
        async for batch in self._chains.newest():
            yield ExportRecordsResponse(batches=[batch])

    async def _log(
        self, after: Mapping[bytes, int], writers: Sequence[bytes], caller: Caller
    ) -> AsyncGenerator[ExportRecordsResponse]:
        """A message for each piece. Calls in flight go first: each piece waits for its turn."""
        async with aclosing(self._chains.pieces(after, writers)) as pieces:
            async for piece in pieces:
                yield ExportRecordsResponse(batches=piece)
                await self._turns.turn(caller.identity)


def _place(token: str) -> Place | None:
    """The place behind which a page begins."""
    place = Place.parse(token)
    if token and place is None:
        raise InvalidRequest.field("page_token", page.NOT_OURS)
    return place


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
