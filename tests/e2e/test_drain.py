"""SIGTERM under a stream of calls."""

import asyncio
import signal
import time
from pathlib import Path

from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp.audit.record import Kind
from pdp.operations_settings import Operations
from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import Batch
from tests.faults import Ledger, Served, eventually, failing, journey, served, stopped, stream, verified_log
from tests.parts import asking, payload, placet

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_drain_finishes_what_is_in_flight_and_loses_no_record(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    ledger = Ledger()
    async with served(tmp_path, state, mongod.uri) as server:
        used = await journey(server, ledger)
        health = asyncio.create_task(_not_serving(server))
        async with stream(server, ledger):
            await eventually(lambda: _answers(ledger, 100))
            async with failing(
                mongod.uri, f"{server.database}.batches", blockConnection=True, blockTimeMS=500, mode={"times": 1}
            ):
                in_flight = [asyncio.create_task(ledger.ask(server, asking())) for _ in range(8)]
                await asyncio.sleep(0.1)  # they are in the server, whose records wait
                termed = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                assert (await health) - termed < 0.2
                assert not any(call.done() for call in in_flight)
                assert all(reply.answer for reply in await asyncio.gather(*in_flight))
            assert await asyncio.wait_for(server.process.wait(), 12) == 0
    assert ledger.refusals == {("UNAVAILABLE", "")}  # nobody listens any more
    assert all(reply.began > termed - 0.05 for reply in ledger.refused)

    async with placet(state, mongod.uri, database=server.database) as after:
        log = await verified_log(after)
        log.accounts_for(ledger)
        log.used_once(used)
        last = {batch.writer: _kinds(batch) for batch in log.batches}
        (ended,) = [kinds for kinds in last.values() if kinds[-1] == Kind.WRITER_CLOSED]
        assert ended[-2:] == [Kind.SERVER_STOPPED, Kind.WRITER_CLOSED]


async def test_server_that_leaves_takes_calls_until_balancers_looked_again(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    ledger = Ledger()
    operations = Operations(listen="127.0.0.1:0", drain_seconds=300)
    async with served(tmp_path, state, mongod.uri, operations=operations) as server:
        health = asyncio.create_task(_not_serving(server))
        await ledger.answered(server, asking())
        server.process.send_signal(signal.SIGTERM)
        await health
        assert await ledger.answered(server, asking())
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.process.wait(), 20) == 0
    async with placet(state, mongod.uri, database=server.database) as after:
        log = await verified_log(after)
        log.accounts_for(ledger)
        assert any(_kinds(batch)[-1] == Kind.WRITER_CLOSED for batch in log.batches)


async def test_drain_ends_although_mongodb_is_stuck(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    ledger = Ledger()
    async with served(tmp_path, state, mongod.uri) as server:
        await ledger.answered(server, asking())
        async with stopped(mongod.pid):
            await asyncio.gather(*(ledger.ask(server, asking()) for _ in range(8)))
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(server.process.wait(), 12) == 0
    async with placet(state, mongod.uri, database=server.database) as after:
        (await verified_log(after)).accounts_for(ledger)


async def _not_serving(server: Served) -> float:
    """When the server's health turned."""
    stub = health_pb2_grpc.HealthStub(server.channel)
    async for response in stub.Watch(health_pb2.HealthCheckRequest(service="pdp.v1.DecisionService")):
        if response.status == NOT_SERVING:
            return time.monotonic()
    raise AssertionError("the watch ended")


async def _answers(ledger: Ledger, count: int) -> bool:
    return len(ledger.answers) >= count


def _kinds(batch: Batch) -> list[str]:
    return [payload(record)["kind"] for record in batch.records]
