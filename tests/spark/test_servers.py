"""Servers of a job: streams spread over two behind one name, one of them dies, and one that is full is waited for."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from masker import keys
from pdp.call_summary import Calls, CallSummary
from pdp.client import Client
from pdp.dev import identity
from pdp.operations_settings import Operations
from pdp.server import edge
from pdp.spark import mask_job
from tests.faults import Served, served
from tests.mask_jobs import Stage
from tests.scrape import samples, seen
from tests.spark.amid import PART_ROWS, PARTS, Amid, require_true, rows, rows_of, waited
from tests.spark.placed import Placed, placed

HOSTS = ["127.0.0.1", "[::1]"]
"""What `localhost` is to gRPC."""
MASKED = 'rpc_server_call_duration_seconds_count{code="OK",rpc_method="pdp.v1.MaskService/MaskStream"}'
"""How many streams a server has brought to their end."""


@contextmanager
def pair(stack: Placed, folder: Path) -> Iterator[tuple[str, list[Served]]]:
    """The name of two servers of one deployment, and both of them, each a process."""
    with socket.socket() as free:
        free.bind((HOSTS[0], 0))
        port = free.getsockname()[1]
    closing, state = AsyncExitStack(), stack.stage.server.state
    place = {"database": f"t{uuid4().hex[:16]}", "policy": [stack.stage.folder], "seconds": 500, "realm": "faults"}

    async def both() -> list[Served]:
        place["mask_keys"] = own_keys(folder)
        starting = [
            served(
                *(folder, state, stack.mongod.uri),
                **{**place, "listen": f"{host}:{port}", "operations": Operations(listen=at(folder, number))},
            )
            for number, host in enumerate(HOSTS)
        ]
        return [await closing.enter_async_context(one) for one in starting]

    try:
        yield f"dns:///localhost:{port}", stack.run(both())
    finally:
        stack.run(asyncio.wait_for(closing.aclose(), 60))


def own_keys(folder: Path) -> Path:
    """Mask keys that are not those of a demo."""
    keys.create(folder / "mask.json", "faults", now=datetime.now(UTC))
    return folder / "mask.json"


def at(folder: Path, number: int) -> str:
    """Where a server tells its metrics."""
    return f"unix:{folder}/{number}"


def told(stack: Placed, folder: Path, number: int, name: str) -> float:
    """A number of a server's metrics."""
    return samples(stack.run(seen(at(folder, number), "/metrics")).text).get(name, 0)


def test_streams_spread_and_a_killed_server_costs_attempts(
    spark: Any, stack: Placed, amid: Amid, tmp_path: Path
) -> None:
    with pair(stack, tmp_path) as (name, servers):
        scope: dict[str, Any] = {"table": "people", "on_behalf_of": ["user:alice"]}
        token = identity.token(stack.stage.server.state, "report-bot")

        def client() -> Client:
            return Client(name, token, timeout=30)

        def busy() -> list[float]:
            """What each has in flight, once it tells of all parts: it tells the same for a second."""
            found = [told(stack, tmp_path, number, "pdp_in_flight") for number in range(2)]
            return found if sum(found) >= PARTS else []

        def kill() -> None:
            """The one that has more streams dies; it is not the one that answers from now on."""
            streams = waited(busy)
            most = streams.index(max(streams))
            stack.run(servers[most].kill())
            alive.append(Placed(stack.loop, Stage(servers[1 - most], stack.stage.folder), stack.mongod))

        alive: list[Placed] = []
        with mask_job(spark, **scope, context={"run": "1"}, client=client) as job:
            amid.go()
            first = rows_of(job.masked(rows(spark, 4 * PARTS)))
        for number in range(2):
            assert waited(partial(told, stack, tmp_path, number, MASKED), 10), "one server has masked all"
        amid.again()
        with mask_job(spark, **scope, context={"run": "2"}, client=client) as job, amid.fault(kill):
            masked = rows_of(job.masked(rows(spark, 2 * PARTS)))
        assert len(masked) == 2 * PARTS * PART_ROWS
        assert masked <= first
        record = require_true(alive[0], alive[0].get(job.id), amid, 2 * PARTS)
        assert record["attempts_of_unknown_rows"] >= 1
        assert {one[4] for one in record["thrown_away"]} <= {"open", "broken"}


def test_the_cap_on_streams_holds_for_parts_and_they_wait_for_a_place(
    spark: Any, amid: Amid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "MAX_DATA_STREAMS", 1)
    calls: list[CallSummary] = []

    def refused() -> bool:
        ended = [call.code for call in list(calls) if call.name.endswith("MaskStream")]
        return "RESOURCE_EXHAUSTED" in ended

    with placed(tmp_path, calls=Calls(calls.append)) as stack:
        with stack.job(spark) as job, amid.fault(lambda: waited(refused), parts=1):
            assert len(rows_of(job.masked(rows(spark)))) == PARTS * PART_ROWS
        ended = stack.get(job.id)
        require_true(stack, ended, amid)
        assert ended.other_attempts == 0
