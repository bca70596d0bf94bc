"""Clients that hang up or have little time, at many points; and what a server keeps of many calls: nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.faults import Ledger, Log, eventually, verified_log
from tests.parts import Placet, asking, exporting, placet
from tests.pdp.mongo import close_what_waits

POINTS = 50
POOLS = 48
"""Connections to MongoDB and OPA together, at most."""
LONGEST_SECONDS = 0.05
"""Longer than a use takes when all of them come at once."""


@pytest.fixture
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server in this process, where its tasks can be counted."""
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_clients_that_give_up_anywhere_leave_no_use_without_its_record(
    server: Placet, mongod: MongodProcess, how: str
) -> None:
    ledger = Ledger()
    requests = [exporting(requestId=uuid4().hex) for _ in range(POINTS)]
    await asyncio.gather(*(server.approved(request) for request in requests))
    tasks = await _tasks_at_rest()
    give_up = _cancelled if how == "cancel" else _out_of_time
    for at, request in enumerate(requests):
        await give_up(server, ledger, request, LONGEST_SECONDS * at / POINTS)
    async with AsyncMongoClient(mongod.uri) as client:
        approvals = client[server.database]["approvals"]
        consumed = {document["_id"] async for document in approvals.find({"state": "CONSUMED"})}
        assert consumed
        log = await _log_with_all(server, consumed)
        log.accounts_for(ledger)
        finished = await asyncio.gather(*(ledger.answered(server, request) for request in requests))
        log = await verified_log(server)
        for one in finished:
            log.used_once(one)
    await _require_no_more_than(tasks)


async def test_answers_come_before_the_deadline_or_not_at_all(server: Placet) -> None:
    ledger = Ledger()
    for at in range(1, POINTS):
        seconds = at / 1000
        reply = await ledger.ask(server, asking(), seconds=seconds)
        assert reply.took < seconds + 0.1  # gRPC itself ends it; the rest is this busy process
    assert {code for code, _ in ledger.refusals} <= {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
    assert ledger.answers
    (await verified_log(server)).accounts_for(ledger)


async def test_many_calls_leave_neither_tasks_nor_files_nor_approvals_to_deliver(
    server: Placet, mongod: MongodProcess
) -> None:
    ledger = Ledger()
    await _calls(server, ledger, 64)
    tasks, files = await _tasks_at_rest(), _open_files()
    for _ in range(10):
        await close_what_waits(mongod, server)  # more than may wait at a time
        await _calls(server, ledger, 64)
    assert not ledger.refused
    await _require_no_more_than(tasks)
    assert _open_files() <= files + POOLS
    async with AsyncMongoClient(mongod.uri) as client:
        approvals = client[server.database]["approvals"]
        await eventually(lambda: _none(approvals, {"outbox.0": {"$exists": True}}))


async def _calls(server: Placet, ledger: Ledger, at_once: int) -> None:
    calls = [ledger.ask(server, asking() if number % 4 else exporting()) for number in range(at_once)]
    await asyncio.gather(*calls)


async def _cancelled(server: Placet, ledger: Ledger, request: AuthorizeRequest, seconds: float) -> None:
    call = asyncio.create_task(ledger.ask(server, request))
    await asyncio.sleep(seconds)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call


async def _out_of_time(server: Placet, ledger: Ledger, request: AuthorizeRequest, seconds: float) -> None:
    await ledger.ask(server, request, seconds=seconds + 0.02)  # below the server's margin there is no time at all


async def _log_with_all(server: Placet, consumed: set[str]) -> Log:
    """The log once it holds the record of every use; a sweep delivers what its call did not."""

    async def look() -> Log | None:
        log = await verified_log(server)
        used = {log.records[one]["approval_id"] for one in log.of(Kind.APPROVAL_CONSUMED)}
        return log if consumed <= used else None

    return await eventually(look)


async def _tasks_at_rest() -> Counter[str]:
    """The tasks when nothing is asked: the fewest within half a second."""
    until, fewest = time.monotonic() + 0.5, _tasks()
    while time.monotonic() < until:
        await asyncio.sleep(0.02)
        fewest = min(fewest, _tasks(), key=Counter.total)
    return fewest


def _tasks() -> Counter[str]:
    """How many tasks run each coroutine."""
    return Counter(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())


async def _require_no_more_than(tasks: Counter[str]) -> None:
    """In the end there are no more tasks than at rest; those that are left over are named."""

    async def at_most() -> bool:
        return _tasks().total() <= tasks.total()

    try:
        await eventually(at_most)
    except AssertionError:
        raise AssertionError(f"tasks are left over: {dict(_tasks() - tasks)}") from None


async def _none(approvals: object, condition: dict[str, object]) -> bool:
    return await approvals.count_documents(condition) == 0


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
