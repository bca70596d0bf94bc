"""The log's writer, the sweep and the clock, on a MongoDB that fails between."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import OKPKey

from pdp import keys
from pdp.approval import ApprovalAt, Review, ReviewVerdict, State, Use
from pdp.audit.record import Entry, Kind, entry
from pdp.audit.verify import Verifier
from pdp.errors import SetupError
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess, _free_port
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.seal import Sealer
from pdp.server.notifier import Notifier
from pdp.server.sweep import Sweep
from pdp.session import SessionSealer
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.notifications import Notifications
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from pdp.workflow.sessions import Sessions
from tests.faults import eventually, failing, verified_log
from tests.parts import Placet, exporting, payload, placet
from tests.pdp import mongo
from tests.pdp.chain import stored

REALM = "dev"
NOW = timedelta()


@dataclass
class Process:
    """What a server process has around its log."""

    database: Database
    key: OKPKey
    writer: Writer
    sweep: Sweep
    records: Records

    async def log(self) -> list[Batch]:
        """Every batch, verified."""
        public = self.key.public_key
        assert isinstance(public, Ed25519PublicKey)
        verifier = Verifier(REALM, public, self.key.thumbprint())
        found = await stored(self.database)
        for batch in found:
            verifier.add(batch)
        verifier.finish()
        return found


@asynccontextmanager
async def process(mongodb_uri: str, database: str, key: OKPKey) -> AsyncIterator[Process]:
    """A writer that runs and a sweep that does not."""
    store = await Database.open(mongodb_uri, database)
    sealer = Sealer(key, REALM)
    approvals, batches, records, writers = Approvals(store, sealer), Batches(store), Records(store), Writers(store)
    writer = Writer(batches, writers, key, REALM)
    sweep = Sweep(
        approvals=approvals,
        delivery=Delivery(approvals, batches, writer, sealer),
        writer=writer,
        writers=writers,
        notifier=Notifier(REALM, Notifications(store), ()),
        sessions=Sessions(store, writer, SessionSealer(key, REALM)),
    )
    running = asyncio.create_task(writer.run())
    try:
        yield Process(store, key, writer, sweep, records)
    finally:
        running.cancel()
        await store.close()


@pytest.fixture
async def pair(state: Path, mongod: MongodProcess, server: Placet) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes of a deployment."""
    assert server  # its keys
    key, database = keys.private_key(state / "keys" / "audit.jwk"), f"t{uuid4().hex[:16]}"
    async with process(mongod.uri, database, key) as one, process(mongod.uri, database, key) as other:
        yield one, other


async def test_a_silent_writer_is_closed_and_goes_on_as_another_when_it_wakes(pair: tuple[Process, Process]) -> None:
    sleeper, sweeper = pair
    before, after = _entries(3), _entries(3)
    await sleeper.writer.append(before)
    first = sleeper.writer.writer
    await eventually(lambda: _is_closed(sweeper, first))
    await sleeper.writer.append(after)
    assert sleeper.writer.writer != first

    log = await sleeper.log()
    assert _ids(log) >= {one.id for one in before + after}
    chain = [batch for batch in log if batch.writer == first]
    assert payload(chain[-1].records[-1])["kind"] == Kind.WRITER_CLOSED


async def test_what_a_dead_process_left_is_listed_by_another(pair: tuple[Process, Process]) -> None:
    dead, alive = pair
    left = _entries(5)
    await dead.writer.append(left)
    page = await alive.records.page(limit=100)
    assert {one.id for one in left} == {listed.members["id"] for listed in page}


async def test_a_writer_that_died_before_its_first_heartbeat_is_found(pair: tuple[Process, Process]) -> None:
    dead, alive = pair
    await dead.writer.append(_entries(1))  # no sweep runs there, so nothing but the writer has said that it lives
    assert await eventually(lambda: Writers(alive.database).silent(NOW))


@pytest.mark.parametrize(
    "fault",
    [
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
        {"closeConnection": True},
        {"errorCode": 50},
    ],
    ids=["stored-but-unconfirmed", "connection-lost", "refused"],
)
async def test_a_batch_whose_fate_is_unknown_is_sent_again_and_stored_once(
    pair: tuple[Process, Process], mongod: MongodProcess, fault: dict[str, Any]
) -> None:
    writer, expected = pair[0].writer, _entries(4)
    async with failing(mongod.uri, f"{pair[0].database.database.name}.batches", mode={"times": 3}, **fault):
        await asyncio.gather(*(writer.append([one], 5) for one in expected))
    log = await pair[0].log()
    stored = [payload(record)["id"] for batch in log for record in batch.records]
    assert sorted(stored) == sorted(one.id for one in expected)
    assert {batch.writer for batch in log} == {writer.writer}


async def test_a_server_starts_beside_a_mongodb_that_is_slow_for_a_while(state: Path, mongod: MongodProcess) -> None:
    name = f"t{uuid4().hex[:16]}"
    slow = {"blockConnection": True, "blockTimeMS": 2000}
    async with (
        failing(mongod.uri, f"{name}.batches", mode={"times": 2}, **slow),
        placet(state, mongod.uri, database=name) as server,
    ):
        assert (await server.authorize(exporting())).effect == Effect.EFFECT_NEEDS_APPROVAL


async def test_what_comes_while_a_batch_is_unconfirmed_waits_behind_it(
    pair: tuple[Process, Process], mongod: MongodProcess
) -> None:
    writer = pair[0].writer
    await writer.append(_entries(1))
    first, second = _entries(1), _entries(300)
    fault = {"blockConnection": True, "blockTimeMS": 300}
    async with failing(mongod.uri, f"{pair[0].database.database.name}.batches", mode={"times": 1}, **fault):
        held = asyncio.create_task(writer.append(first))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(writer.append([one])) for one in second]
        await asyncio.gather(held, *others)
    order = [payload(record)["id"] for batch in await pair[0].log() for record in batch.records]
    assert order[1:] == [one.id for one in first + second]


async def test_many_large_records_at_once_are_all_written(pair: tuple[Process, Process]) -> None:
    """More bytes than one batch holds, in fewer records than end the pacing."""
    writer = pair[0].writer
    for _ in range(3):
        await asyncio.gather(*(writer.append([one]) for one in _entries(300)))  # a crowd, so that the next are paced
        large = [entry(Kind.EXPORT, json.dumps({"text": "x" * 60_000}).encode()) for _ in range(120)]
        small = asyncio.create_task(writer.append(_entries(1)))
        await asyncio.sleep(0.001)  # it is on its way
        await asyncio.gather(small, *(writer.append([one], 5) for one in large))
        assert {one.id for one in large} <= _ids(await pair[0].log())


async def test_standalone_mongodb_is_refused_with_what_to_do(tmp_path: Path) -> None:
    port = _free_port()
    command = [toolcache.mongod(), "--dbpath", tmp_path, "--port", str(port), "--bind_ip", "127.0.0.1"]
    standalone = subprocess.Popen([*command, "--nounixsocket"], stdout=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        with pytest.raises(SetupError, match=r"standalone.*--replSet"):
            await Database.open(f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=20000", "placet")
    finally:
        standalone.kill()
        standalone.wait()


SHORT = """package policy

needs_approval contains {
	"rule": "short",
	"reason": "for a second",
	"reviewers": {"groups": ["data-stewards"]},
	"count": 2,
	"pending_for": "1s",
	"valid_for": "1s",
} if input.action.name == "export"
"""


@pytest.fixture(scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose approvals live for a second."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "short.rego").write_text(SHORT)
    people = {"groups": {"data-stewards": ["user:bob", "user:carol"]}}
    owners = {"identities": {"agent:report-bot": {"owners": ["user:alice"]}}}
    (folder / "data.json").write_text(json.dumps(people | owners))
    async with placet(state, mongod.uri, policy=[folder]) as running:
        yield running


async def test_an_expired_approval_is_refused_at_use_and_closed_by_the_sweep(hasty: Placet) -> None:
    request = exporting()
    approval = await hasty.approved(request)
    request.approval_id = approval.approval_id

    trial = AuthorizeRequest(dry_run=True)
    trial.MergeFrom(request)

    async def expired() -> bool:
        return (await hasty.authorize(trial)).effect == Effect.EFFECT_DENY

    await eventually(expired)
    used = await hasty.authorize(request)
    assert used.effect == Effect.EFFECT_DENY
    assert used.reasons[0].rule == "pdp.approval_expired"

    async def closed() -> bool:
        return bool((await verified_log(hasty)).of(Kind.APPROVAL_CLOSED, approval.approval_id))

    await eventually(closed)


async def test_asking_anew_closes_what_expired_first(hasty: Placet) -> None:
    request = exporting()
    first = await hasty.authorize(request)

    async def another() -> bool:
        return (await hasty.authorize(request)).approval.approval_id != first.approval.approval_id

    await eventually(another)
    log = await verified_log(hasty)
    (closed,) = log.of(Kind.APPROVAL_CLOSED, first.approval.approval_id)
    assert log.payloads[closed]["state"] == "EXPIRED"


async def test_mongodb_refuses_a_step_after_the_deadline_whatever_was_read_before(
    hasty: Placet, mongod: MongodProcess
) -> None:
    pending, used = await hasty.authorize(exporting()), exporting()
    approved = await hasty.approved(used)
    store = await Database.open(mongod.uri, hasty.database)
    try:
        approvals = Approvals(store, mongo.sealer(hasty))
        read = [await approvals.get(one) for one in (pending.approval.approval_id, approved.approval_id)]
        assert read[0]
        assert read[1]
        assert [one.state for one in read if one] == [State.PENDING, State.APPROVED]
        for one in read:
            await eventually(lambda one=one: _is_over(approvals, one))
        late = Review("user:eve", "user:eve", (), ReviewVerdict.APPROVE, "", read[0].now, (0,))
        assert await approvals.review(read[0].approval, late, State.PENDING, _entries(1)) is None
        assert await approvals.consume(read[1].approval, Use("dec_x", ""), _entries(1)) is None
        assert await approvals.void(read[1].approval, _entries(1)) is None
    finally:
        await store.close()


def _entries(count: int) -> list[Entry]:
    return [entry(Kind.EXPORT, b'{"number":%d}' % number) for number in range(count)]


def _ids(log: list[Batch]) -> set[str]:
    return {payload(record)["id"] for batch in log for record in batch.records}


async def _is_closed(sweeper: Process, writer: bytes) -> bool:
    """Close whoever is silent, at once; whether this one is closed."""
    await sweeper.sweep.close_silent_writers(NOW)
    return writer not in await Writers(sweeper.database).silent(NOW)


async def _is_over(approvals: Approvals, read: ApprovalAt) -> bool:
    found = await approvals.get(read.approval.id)
    return found is not None and found.state is State.EXPIRED
