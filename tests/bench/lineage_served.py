"""Decisions by lineage, by servers that are processes of their own: on the largest graph, and beside those without.

python -m tests.bench.lineage_served [--datasets N] [--rounds N]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import uvloop
from google.protobuf import json_format
from pymongo import AsyncMongoClient, WriteConcern

from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.bench.lineage_graph import COLUMNS, TAGS, built, column, full, named
from tests.bench.lineage_ingest import ONE
from tests.bench.lineage_row import Row, shown
from tests.bench.lineage_stage import Http1, Stage, fresh, stage
from tests.bench.load import Load, measure
from tests.faults import Served

AUTHORIZE = "/pdp.v1.DecisionService/Authorize"
LOOPS, SECONDS = 64, 4.0
WIDE = 20
"""Tagged columns of a view, and columns of an event."""
FAMILIES = 100
"""Datasets with 100 downstream each: events are of one after the other."""
EVENTS = 300
"""Of the same family each hundredth, which brings another tag."""
BEHIND = 100
N = 10_000
"""The number of the log at which servers find the largest graph."""
CALLERS = 2
PAUSE_SECONDS = 0.01
"""Before a server is asked again that could not say that it has the newest."""
ROOTS = 12
"""New tags at roots of everything, one after the other."""


def question(table: str, at_least: int = 0) -> AuthorizeRequest:
    """A read that the reference policy allows."""
    request = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "read"},
        "resource": {"type": "table", "id": table},
        "context": {"purpose": "weekly report"},
        "lineageAtLeast": at_least,
    }
    return json_format.ParseDict(request, AuthorizeRequest())


def said(dataset: Dataset, facets: Any, sources: Sequence[Dataset] = ()) -> bytes:
    """An OpenLineage event that writes a dataset."""
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": "2026-11-30T12:00:00Z",
            "run": {"runId": str(uuid4())},
            "job": {"namespace": "bench", "name": dataset.name},
            "inputs": [{"namespace": one.namespace, "name": one.name} for one in sources],
            "outputs": [{"namespace": dataset.namespace, "name": dataset.name, "facets": facets}],
        }
    ).encode()


def tags(*pairs: tuple[str, str]) -> dict[str, Any]:
    """A facet with tags of columns."""
    return {"tags": {"tags": [{"key": tag, "value": "true", "field": of} for of, tag in pairs]}}


async def sent(server: Served, token: str, event: bytes) -> int:
    """The revision that holds an event."""
    connection = Http1(server.http, ONE, token)
    await connection.open()
    status, answer = await connection.post(event)
    connection.close()
    assert status == 201, answer  # what the specification answers
    return int(json.loads(answer)["revision"])


async def beside_none(on: Stage, rounds: int) -> Row:
    """Authorize with a view of 20 tagged columns, beside a server that keeps no lineage."""
    names = [f"c{place}" for place in range(WIDE)]
    facets = {"schema": {"fields": [{"name": name} for name in names]}}
    facets |= tags(*((name, f"t{place}") for place, name in enumerate(names)))
    with_it, without = await on.server(fresh()), await on.server(fresh(), lineage=None)
    n = await sent(with_it, on.token("etl"), said(Dataset("pg", "wide"), facets))
    await with_it.authorize(question("wide", n))
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(rounds):
        for name, server in (("with", with_it), ("without", without)):
            rates[name].append((await asyncio.to_thread(measure, await load(server, on))).per_second)
    for server in (with_it, without):
        await server.kill()
    ratios = [one / other for one, other in zip(rates["with"], rates["without"], strict=True)]
    beside = f"{statistics.median(rates['with']):,.0f} and {statistics.median(rates['without']):,.0f} decisions/s"
    return Row("Authorize by 20 tagged columns, of without", statistics.median(ratios), beside, least=0.85)


async def load(server: Served, on: Stage) -> Load:
    """Loops that ask about the table, after one that shows how long an answer is."""
    answer = await server.authorize(question("wide"))
    assert answer.effect == 1, answer  # an allow
    metadata = (("authorization", f"Bearer {on.token('report-bot')}"),)
    body = question("wide").SerializeToString()
    return Load(server.address, AUTHORIZE, body, answer.ByteSize(), metadata, LOOPS, SECONDS)


def family(number: int) -> Dataset:
    """A dataset with `BEHIND` downstream."""
    return Dataset("pg", f"bench.f{number}")


def families() -> Iterator[Event]:
    """What makes them."""
    names = [f"c{place}" for place in range(WIDE)]
    for number in range(FAMILIES):
        edges = [Edge(name, family(number), name) for name in names]
        outputs = [Output(Dataset("pg", f"bench.f{number}.d{behind}"), names, names, edges) for behind in range(BEHIND)]
        members: Any = {"job": ("bench", f"f{number}"), "event_time": 1, "inputs": [family(number)], "outputs": outputs}
        schemas: Any = {family(number): names}
        yield Event(by="agent:etl", at=1, event=f"{number:02x}", run=f"f{number}", schemas=schemas, **members)
    for number in range(TAGS):
        tagging = Tagging(Dataset("pg", f"bench.source{number}"), "c", f"t{number}")
        yield Event(by="agent:etl", at=1, event=f"aa{number:02x}", run=f"s{number}", tags=[tagging])


def largest(datasets: int) -> bytes:
    """The graph, with the families in it, as bytes of a snapshot."""
    graph = built(datasets)
    graph.apply([(1, list(families()))])
    full(graph)
    return graph.dump()


async def a_new_event(on: Stage, servers: Sequence[Served]) -> Row:
    """From an event of 20 columns to decisions by it everywhere, above what a majority write takes."""
    token, took, writes = on.token("etl"), list[float](), list[float]()
    async with AsyncMongoClient(on.mongodb) as client:
        collection = client.get_database(fresh()).get_collection(
            "writes", write_concern=WriteConcern("majority", j=True)
        )
        for number in range(EVENTS):
            began = time.perf_counter()
            await collection.insert_one({"_id": number, "text": b"x" * 2000})
            writes.append(time.perf_counter() - began)
            took.append(await until_all(servers, token, number))
    mine, theirs = high(took) * 1e3, high(writes) * 1e3
    beside = f"p99 {mine:.0f} ms, of a majority write {theirs:.0f} ms; medians "
    beside += f"{statistics.median(took) * 1e3:.0f} and {statistics.median(writes) * 1e3:.0f} ms"
    return Row("an event, until all decide, above a write, ms", mine - theirs, beside, most=100)


async def decided_by(server: Served, table: str, n: int) -> None:
    """Return when a server has decided by a revision, however often it says that it does not have it yet."""
    while True:
        try:
            await server.authorize(question(table, n))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


async def until_all(servers: Sequence[Served], token: str, number: int) -> float:
    """Seconds until all servers have decided by an event that brings a tag to a family."""
    source, names = (
        Dataset("pg", f"bench.source{(number + number // FAMILIES * 13) % TAGS}"),
        [f"c{place}" for place in range(WIDE)],
    )
    field = {"namespace": source.namespace, "name": source.name, "field": "c"}
    facets = {"columnLineage": {"fields": {name: {"inputFields": [field]} for name in names}}}
    event = said(family(number % FAMILIES), facets, [source])
    asked = f"bench.f{number % FAMILIES}.d{BEHIND - 1}"
    began = time.perf_counter()
    n = await sent(servers[number % len(servers)], token, event)
    await asyncio.gather(*(decided_by(server, asked, n) for server in servers))
    return time.perf_counter() - began


async def a_new_tag(on: Stage, server: Served, datasets: int) -> Row:
    """Decisions while a new tag reaches nearly everything."""
    token, asked = on.token("etl"), question(named(datasets - 1).name)
    async with asking(server, asked) as quiet:
        await asyncio.sleep(SECONDS)
    took = list[float]()
    async with asking(server, asked) as meanwhile:
        for number in range(ROOTS):
            began = time.perf_counter()
            n = await sent(server, token, said(named(0), tags((column(0, number % COLUMNS), f"root{number}"))))
            await decided_by(server, asked.resource.id, n)
            took.append(time.perf_counter() - began)
    slow, usual = high(meanwhile) * 1e3, high(quiet) * 1e3
    beside = f"p99 {slow:.1f} ms of {len(meanwhile)}, quiet {usual:.1f} ms of {len(quiet)}; "
    beside += f"a tag in force after {statistics.median(took):.2f} s"
    return Row("decisions beside a tag at a root, p99, of quiet", slow / usual, beside, most=2)


@asynccontextmanager
async def asking(server: Served, request: AuthorizeRequest) -> AsyncIterator[list[float]]:
    """Callers that ask one after the other while the block runs; the seconds of each call."""
    took, ends = list[float](), asyncio.Event()

    async def ask() -> None:
        while not ends.is_set():
            began = time.perf_counter()
            await decided_by(server, request.resource.id, 0)
            took.append(time.perf_counter() - began)

    asked = [asyncio.create_task(ask()) for _ in range(CALLERS)]
    yield took
    ends.set()
    await asyncio.gather(*asked)


def high(values: Sequence[float]) -> float:
    """The p99."""
    return sorted(values)[int(len(values) * 0.99)]


async def measured(on: Stage, datasets: int, rounds: int) -> AsyncIterator[Row]:
    """The rows, as they come."""
    yield await beside_none(on, rounds)
    database = fresh()
    await on.given(database, await asyncio.to_thread(largest, datasets), N)
    server = await on.server(database)
    yield await a_new_tag(on, server, datasets)
    yield await a_new_event(on, [server, await on.server(database)])


async def main(datasets: int, rounds: int) -> bool:
    """Print the rows. Returns whether all are within their bars."""
    with tempfile.TemporaryDirectory() as name:
        async with stage(Path(name)) as on:
            return all([shown([row]) async for row in measured(on, datasets, rounds)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sys.exit(0 if uvloop.run(main(arguments.datasets, arguments.rounds)) else 1)
