"""A server with `[lineage]` follows the log, says so in its health, and raises alarms; another says that it is off."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import orjson
import pytest

from pdp.lineage.chain import Place
from pdp.process.mongod import MongodProcess
from pdp.server.lineage import ALARM
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from pdp.v1.lineage_pb2 import GetCoverageRequest, IngestRequest, IngestResponse
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from tests.faults import eventually, verified_log
from tests.parts import Placet, asking, is_serving, placet, refusal
from tests.pdp.http.test_lineage import event, post
from tests.pdp.lineage_log import document, plant, tagged, untagged


async def sent(server: Placet, *events: object, by: str = "etl") -> list[IngestResponse]:
    async def requests() -> AsyncIterator[IngestRequest]:
        for one in events:
            yield IngestRequest(event=orjson.dumps(one))

    answers = LineageServiceStub(server.channel).Ingest(requests(), metadata=server.metadata(by))
    return [answer async for answer in answers]


async def test_stream_answers_each_event_in_order(server: Placet) -> None:
    one, other = event(), event()
    found = await sent(server, one, {}, other, one)
    assert [(answer.index, answer.reason) for answer in found] == [(0, ""), (1, "INVALID_REQUEST"), (2, ""), (3, "")]
    assert found[3].known
    assert found[3].revision == found[0].revision
    assert not found[1].HasField("revision")
    assert len(found[0].revision.head) == 64
    again = await post(server, other)
    assert again.json == {"revision": found[2].revision.n}


async def test_stream_answers_before_its_client_goes_on(server: Placet) -> None:
    answered = asyncio.Event()

    async def requests() -> AsyncIterator[IngestRequest]:
        yield IngestRequest(event=orjson.dumps(event()))
        await asyncio.wait_for(answered.wait(), 10)

    async for answer in LineageServiceStub(server.channel).Ingest(requests(), metadata=server.metadata("etl")):
        assert answer.revision.n
        answered.set()
    assert answered.is_set()


async def test_stream_of_somebody_without_the_role_is_refused(server: Placet) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent(server, event(), by="bob")
    assert refusal(refused.value).reason == "ROLE_REQUIRED"


async def test_server_without_lineage_says_that_it_is_off(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, keeps_lineage=False) as server:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await sent(server, event())
        assert refusal(refused.value).reason == "LINEAGE_OFF"
        assert (await post(server, event())).status == 404
        assert not await is_serving(server, "lineage")
        stub = LineageServiceStub(server.channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetCoverage(GetCoverageRequest(), metadata=server.metadata("dana"))
        assert refusal(refused.value).reason == "LINEAGE_OFF"


async def test_planted_document_stops_decisions_about_data_and_raises_an_alarm_in_the_log(
    state: Path, mongod: MongodProcess
) -> None:
    async with placet(state, mongod.uri) as server:
        [taken] = await sent(server, event())
        assert await eventually(lambda: is_serving(server, "lineage"))
        await server.authorize(asking())
        database = await Database.open(mongod.uri, server.database)
        try:
            place = Place(*await LineageLog(database).newest())
            assert place.n >= taken.revision.n
            await plant(database, document(place, untagged(), tagged()))
        finally:
            await database.close()

        async def refuses() -> bool:
            return not await is_serving(server, "lineage")

        await eventually(refuses)
        [answer] = await sent(server, event())
        assert answer.reason == "LINEAGE_STALE"
        assert (await post(server, event())).status == 503
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await server.authorize(asking())
        assert refusal(refused.value).reason == "LINEAGE_STALE"
        log = await verified_log(server)
        faults = [log.payloads[one]["fault"] for one, record in log.records.items() if record.get("error") == ALARM]
        assert faults == [f"the signature of number {place.n + 1} is not of the audit key"]
