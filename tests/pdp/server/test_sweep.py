"""What a process that died left behind, any other process's sweep finishes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from pdp.approval import Approval, State
from pdp.audit import event
from pdp.audit.record import Kind
from pdp.background import background
from pdp.process.mongod import MongodProcess
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.server.notifier import Notifier
from pdp.server.sweep import HEARTBEAT_SECONDS, SILENT_FOR, UNDELIVERED_FOR, Sweep
from pdp.session import SessionSealer
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.notifications import Notifications
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.workflow.sessions import Sessions
from tests.faults import eventually, failing
from tests.pdp.chain import recorded, writing
from tests.pdp.specimens import BOT, REQUEST, SEALER, T0, opening, records, sealed, verdict


@dataclass
class Process:
    """The parts of a server that sweep."""

    database: Database
    approvals: Approvals
    writer: Writer
    writers: Writers
    sweep: Sweep

    async def listed(self) -> set[str]:
        """The ids of the records that lists show."""
        return {listed.members["id"] for listed in await Records(self.database).page(limit=1000)}


@asynccontextmanager
async def processing(database: Database) -> AsyncIterator[Process]:
    """A server's parts, whose sweep does not run by itself."""
    approvals, writers, batches = Approvals(database, SEALER), Writers(database), Batches(database)
    async with writing(database) as writer:
        sweep = Sweep(
            approvals=approvals,
            delivery=Delivery(approvals, batches, writer, SEALER),
            writer=writer,
            writers=writers,
            notifier=Notifier("dev", Notifications(database), []),
            sessions=Sessions(database, writer, SessionSealer(SEALER.key, "dev")),
        )
        yield Process(database, approvals, writer, writers, sweep)


@pytest.fixture
async def process(database: Database) -> AsyncIterator[Process]:
    async with processing(database) as found:
        yield found


async def opened(process: Process, number: int = 1) -> Approval:
    """An approval whose process died before its record was in the log."""
    asked = sealed(opening(id=f"apr_{number:032x}", caller=f"agent:bot-{number}"))
    made = await process.approvals.open(asked, "", [event.approval_created(asked, BOT, REQUEST, verdict())])
    assert made is not None
    return made


async def aged(process: Process, approval: Approval, *stamps: str) -> None:
    old = {"$set": dict.fromkeys(stamps, T0)}
    await process.database.database["approvals"].update_one({"_id": approval.id}, old)


async def state(process: Process, approval: Approval) -> State:
    return (await process.approvals.of_its_caller(approval.caller, approval.id)).approval.state


async def test_what_is_overdue_is_closed_and_recorded_behind_its_opening(process: Process) -> None:
    overdue, waits = await opened(process, 1), await opened(process, 2)
    await aged(process, overdue, "created_at")
    await process.sweep.expire()
    assert (await state(process, overdue), await state(process, waits)) == (State.EXPIRED, State.PENDING)
    assert await recorded(process.database) == [
        (Kind.APPROVAL_CREATED, overdue.id),
        (Kind.APPROVAL_CLOSED, overdue.id),
    ]


async def test_many_sweeps_close_what_is_overdue_once(process: Process, database: Database) -> None:
    made = [await opened(process, number) for number in range(5)]
    for one in made:
        await aged(process, one, "created_at")
    async with processing(database) as other:
        await asyncio.gather(*(one.sweep.expire() for one in (process, other, process, other)))
    kinds = [kind for kind, _ in await recorded(database)]
    assert kinds.count(Kind.APPROVAL_CLOSED) == len(made)


async def test_outbox_is_delivered_once_it_is_nobody_elses_any_more(process: Process) -> None:
    fresh, left = await opened(process, 1), await opened(process, 2)
    await aged(process, left, "updated_at")
    await process.sweep.deliver()
    assert await recorded(process.database) == [(Kind.APPROVAL_CREATED, left.id)]
    await aged(process, fresh, "updated_at")
    await process.sweep.deliver()
    assert [approval for _, approval in await recorded(process.database)] == [left.id, fresh.id]


async def test_silent_writer_is_ended_and_its_records_stay_listed(process: Process, database: Database) -> None:
    async with writing(database) as gone:
        entries = records(3)
        await gone.append(entries)
        await process.sweep.close_silent_writers()
        assert {entry.id for entry in entries} == await process.listed()
        await process.sweep.close_silent_writers(timedelta(0))
        assert {entry.id for entry in entries} < await process.listed()
        assert await process.writers.silent(timedelta(0)) == []


async def test_what_was_planted_among_the_writers_holds_up_no_sweep(process: Process, database: Database) -> None:
    await database.database["writers"].insert_one({"_id": "planted", "heartbeat": None})
    async with writing(database) as gone:
        await gone.append(records())
        await process.sweep.close_silent_writers(timedelta(0))
    assert await process.writers.silent(timedelta(0)) == []


async def test_sweep_never_ends_its_own_writer(process: Process) -> None:
    await process.writer.append(records())
    await process.sweep.close_silent_writers(timedelta(0))
    assert await process.writers.silent(timedelta(0)) == [process.writer.writer]


async def test_running_it_says_that_this_process_lives(process: Process) -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await process.writer.append(records())
    age = timedelta(milliseconds=200)
    await asyncio.sleep(age.total_seconds())
    assert await process.writers.silent(age) == [process.writer.writer]
    async with background(process.sweep.run(), failed):

        async def is_alive() -> bool:
            return not await process.writers.silent(age)

        await eventually(is_alive)
    assert not failed.done()


async def test_step_that_fails_is_tried_again_and_holds_up_no_other(process: Process, mongod: MongodProcess) -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    entries = records()
    name = f"{process.database.database.name}.approvals"
    async with (
        failing(mongod.uri, name, failCommands=["find"], errorCode=6),
        background(process.sweep.run(), failed),
    ):
        await process.writer.append(entries)

        async def is_listed() -> bool:
            return {entry.id for entry in entries} <= await process.listed()

        await eventually(is_listed)
    assert not failed.done()


def test_writer_that_lives_is_never_taken_for_silent() -> None:
    assert timedelta(seconds=2 * HEARTBEAT_SECONDS) < SILENT_FOR
    assert UNDELIVERED_FOR < SILENT_FOR
