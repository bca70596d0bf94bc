"""Two servers write one log of lineage and decide by it while they are killed.

No gap, no event lost, equal revisions, equal views; and each decision is the same when it is decided again.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import orjson
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp import keys
from pdp.decision import Effect, verdict
from pdp.dev.stack import LINEAGE, REALM
from pdp.lineage.chain import Place, Signer
from pdp.lineage.entry import decode
from pdp.lineage.fact import Event
from pdp.lineage.following import Following
from pdp.lineage.graph import Graph
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.opa.queries import About
from pdp.opa.replay import Recorded
from pdp.opa.trial import answering
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog, Logged
from pdp.store.lineage_snapshots import LineageSnapshots
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.lineage_pb2 import DataName, GetLineageRequest, IngestRequest, ResourceName
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from tests.faults import Served, served, verified_log
from tests.parts import TOOL_CACHE, asking

WRITERS = 50
DECIDERS = 4
TABLES = 40
REFUSED = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
}
"""How no call ends here: those that are lost with their server end in many other ways."""


def event(number: int, writer: int) -> bytes:
    """A run of its own, which derives one table from another; some say what is in it."""
    source, target = f"db.public.t{number % TABLES}", f"db.public.t{(number * 7 + writer) % TABLES}"
    tags = {"tags": {"tags": [{"key": f"k{number % 5}", "value": "true"}]}} if number % 3 == 0 else {}
    named: dict[str, Any] = {"inputFields": [{"namespace": "postgres://db", "name": source, "field": "a"}]}
    facets = {"columnLineage": {"fields": {"b": named}}, "schema": {"fields": [{"name": "b"}]}}
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": "2026-11-30T12:00:00Z",
            "run": {"runId": str(uuid4())},
            "job": {"namespace": "jobs", "name": f"j{writer}"},
            "inputs": [{"namespace": "postgres://db", "name": source, "facets": tags}],
            "outputs": [{"namespace": "postgres://db", "name": target, "facets": facets}],
        }
    ).encode()


class Servers:
    """Two places, each with a server that may be killed and replaced."""

    def __init__(self, stack: AsyncExitStack, start: Any) -> None:
        self._stack, self._start = stack, start
        self.now: list[Served] = []

    async def begin(self) -> None:
        self.now = [await self._stack.enter_async_context(self._start()) for _ in range(2)]

    async def replace(self, place: int) -> None:
        """SIGKILL, and another one in its place."""
        await self.now[place].kill()
        self.now[place] = await self._stack.enter_async_context(self._start())


async def write(servers: Servers, writer: int, ends: asyncio.Event, answers: dict[str, int]) -> None:
    """Send events one after the other until the end, each again until it is answered, now here and now there."""
    for number in count():
        if ends.is_set():
            return
        text, tries = event(number, writer), count(writer)
        while not await sent(servers.now[next(tries) % 2], text, answers):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # a writer's own work


async def sent(server: Served, text: bytes, answers: dict[str, int]) -> bool:
    """Whether an event was answered; a token is of now, as a long run outlives one."""

    async def once() -> AsyncIterator[IngestRequest]:
        yield IngestRequest(event=text)

    try:
        call = LineageServiceStub(server.channel).Ingest(once(), metadata=server.metadata("etl"), timeout=5)
        [answer] = [one async for one in call]
    except grpc.aio.AioRpcError as error:
        if error.code() in REFUSED:
            raise
        return False
    except (grpc.aio.UsageError, asyncio.InvalidStateError):
        return False
    except ValueError:  # killed before it answered
        return False
    if answer.reason:
        assert answer.reason in {"STORE_UNAVAILABLE", "OVERLOADED"}
        return False
    run = json.loads(text)["run"]["runId"]
    answers[run] = answer.revision.n
    return True


async def decide(servers: Servers, decider: int, ends: asyncio.Event) -> None:
    """Ask about one table after the other, now here and now there; who is killed answers nothing."""
    for number in count(decider):
        if ends.is_set():
            return
        server = servers.now[number % 2]
        with suppress(grpc.aio.UsageError, asyncio.InvalidStateError):
            try:
                await server.authorize(about(number % TABLES, ("export", "read")[number // 2 % 2]), timeout=5)
            except grpc.aio.AioRpcError as error:
                if error.code() in REFUSED:
                    raise
        await asyncio.sleep(0.1)  # a caller's own work


def about(table: int, action: str, **members: Any) -> AuthorizeRequest:
    resource = {"type": "table", "id": f"db.public.t{table}"}
    return asking(action, resource=resource, context={"about": uuid4().hex}, dryRun=True, **members)


async def whole(log: LineageLog, signer: Signer) -> list[Logged]:
    """Every document, each checked to continue the one before it."""
    place, found = Place(), list[Logged]()
    while documents := await log.after(place.n, 100):
        for one in documents:
            place = signer.follow(place, Place(one.n, one.head), one.entries, one.signature)
            found.append(one)
    return found


async def test_servers_that_are_killed_leave_one_log_without_a_gap(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    name = f"t{uuid4().hex[:16]}"
    start = partial(served, tmp_path, state, mongod.uri, database=name, lineage=LINEAGE, seconds=600 + 60 * rounds)
    answers: dict[str, int] = {}
    ends = asyncio.Event()
    async with AsyncExitStack() as stack:
        servers = Servers(stack, start)
        await servers.begin()
        database = await Database.open(mongod.uri, name)
        stack.push_async_callback(database.close)
        async with asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(write(servers, writer, ends, answers))
            for decider in range(DECIDERS):
                group.create_task(decide(servers, decider, ends))
            for turn in range(rounds):
                seen = len(answers)
                while len(answers) < seen + WRITERS * 2:
                    await asyncio.sleep(0.05)
                await servers.replace(turn % 2)
            ends.set()
        signer = Signer(keys.signing(keys.private_key(state / "keys" / "audit.jwk")), REALM)
        log = LineageLog(database)
        documents = await whole(log, signer)
        await require_all(documents, answers)
        await require_equal(database, signer, documents[-1])
        assert await asyncio.gather(*(is_fresh(server) for server in servers.now)) == [True, True]
        await require_one_answer(servers, documents[-1])
        await require_again(servers.now[0], documents)


async def require_all(documents: list[Logged], answers: dict[str, int]) -> None:
    """What was answered stands where the answer said, and nothing stands twice."""
    stands: dict[str, int] = {}
    hashes: list[str] = []
    for one in documents:
        for fact in map(decode, one.entries):
            if isinstance(fact, Event):
                hashes.append(fact.event)
                stands[fact.run] = one.n
    assert len(set(hashes)) == len(hashes)
    assert {run: stands.get(run) for run in answers} == answers


def graph(dumped: bytes | None) -> Graph:
    return Graph() if dumped is None else Graph.load(dumped)


async def require_equal(database: Database, signer: Signer, last: Logged) -> None:
    """Processes that read all of it, one of them from a snapshot, have one revision and the same views."""

    async def alarm(fault: str) -> None:
        raise AssertionError(fault)

    found = []
    for every in (10, 10, 1_000_000):
        snapshots = Snapshots(LineageSnapshots(database), signer)
        views = partial(Views, settings=LINEAGE)
        following = Following(LineageLog(database), snapshots, signer, alarm, load=graph, views=views, every=every)
        await following.start()
        following.require_fresh()
        view = following.views.view
        found.append([view("table", f"db.public.t{one}", following.revision).json for one in range(TABLES)])
        assert (following.revision.n, following.revision.head) == (last.n, last.head.hex())
    assert found[0] == found[1] == found[2]
    assert any(b'"tags":["k' in one for one in found[0])


async def require_one_answer(servers: Servers, last: Logged) -> None:
    """Both servers know the newest revision, and say the same of every table; their policy gets the same bytes."""
    for table in range(TABLES):
        data = DataName(resource=ResourceName(type="table", id=f"db.public.t{table}"))
        shown = list[bytes]()
        for server in servers.now:
            await server.authorize(about(table, "read", lineageAtLeast=last.n))
            stub, request = LineageServiceStub(server.channel), GetLineageRequest(data=data, upstream=1, downstream=1)
            answer = await stub.GetLineage(request, metadata=server.metadata("dana"))
            assert (answer.revision.n, answer.revision.head) == (last.n, last.head.hex())
            shown.append(answer.SerializeToString(deterministic=True))
        assert shown[0] == shown[1]


async def require_again(server: Served, documents: list[Logged]) -> None:
    """Each recorded decision has the bytes that lineage had at its revision, and is the same decided again by them."""
    found = await recorded(server)
    known, left = Graph(), list(documents)
    views = Views(known, LINEAGE)
    for one in sorted(found, key=revision):
        while left and left[0].n <= revision(one):
            known.apply([(left[0].n, [decode(entry) for entry in left.pop(0).entries])])
        at = Revision(revision(one), orjson.loads(one.lineage)["revision"]["head"])
        assert one.lineage == views.view("table", orjson.loads(one.input)["resource"]["id"], at).json
    sources = [source for source in read([rego()]) if not source.is_test]
    async with answering(toolcache.opa(TOOL_CACHE), sources, lambda _: None) as connection:
        for part in (found[start : start + 100] for start in range(0, len(found), 100)):
            asked, lineages = [one.input for one in part], [one.lineage for one in part]
            answers: Any = await connection.answers(About.DECISIONS, asked, [False] * len(part), 60, lineages=lineages)
            people = frozenset({"user"})
            assert [one.differs(verdict(answer, people)) for one, answer in zip(part, answers, strict=True)] == [
                ""
            ] * len(part)
    assert {one.effect for one in found} >= {Effect.ALLOW, Effect.NEEDS_APPROVAL}


def revision(one: Recorded) -> int:
    return int(orjson.loads(one.lineage)["revision"]["n"])


async def recorded(server: Served) -> list[Recorded]:
    """Every decision about one of the tables that was recorded, by whichever server."""
    log = await verified_log(server)
    pairs = [pair for batch in log.batches for pair in zip(batch.records, batch.payloads, strict=True)]
    decisions = [(record, held) for record, held in pairs if orjson.loads(record)["kind"] == "decision"]
    return [Recorded.of(record, held.salt, held.payload) for record, held in decisions]


async def is_fresh(server: Served) -> bool:
    stub = health_pb2_grpc.HealthStub(server.channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service="lineage"))).status == 1
