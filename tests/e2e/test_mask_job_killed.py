"""A mask job over two workers of a server, one of which is killed meanwhile: equal output, and a true record."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pyarrow as pa

from pdp.compact_parts import expanded
from pdp.process.mongod import MongodProcess
from tests.faults import Served, eventually, served, verified_log
from tests.mask_jobs import Stage, request, rows, start_of, streamed, written
from tests.parts import log, placet
from tests.tokens import bearer
from tests.worker_processes import workers

PARTS, CONNECTIONS, AT_ONCE = 60, 8, 6


async def test_killed_worker_costs_attempts_and_no_rows(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    policy = written(tmp_path / "policy")
    options = {"policy": [policy], "masks": True, "workers": 2, "seconds": 200}
    async with served(tmp_path, state, mongod.uri, **options) as server, AsyncExitStack() as stack:  # type: ignore[arg-type]
        own = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(server.address, own)) for _ in range(CONNECTIONS)
        ]
        clients = [replace(server, channel=channel) for channel in channels]
        stage = Stage(server, policy)
        begun = await stage.start(request())
        tokens, ended, tried = await _masked(server, clients, begun.ticket)
        job = await stage.finish(begun.job_id, [(part, attempt, 2) for part, attempt in ended.items()])
        assert (job.parts, job.rows) == (PARTS, 2 * PARTS)
        assert job.other_attempts <= tried - PARTS, "some did not reach the server"
        [record] = [held["details"]["mask_job"] for _, held in await log(server, "mask")]
        database = server.database
    assert len(record["thrown_away"]) == job.other_attempts
    assert {one[1] for one in record["thrown_away"]} <= set(range(1, tried + 1)) - set(ended.values())
    assert expanded(record["ended"]) == [(part, ended[part], 2) for part in range(PARTS)]
    assert {column: len({*values}) for column, values in tokens.items()} == {"same": 1, "own": PARTS}
    async with placet(state, mongod.uri, policy=[policy], database=database, realm="faults") as after:
        await verified_log(after)


async def _masked(
    server: Served, clients: Sequence[Served], ticket: str
) -> tuple[dict[str, list[str]], dict[int, int], int]:
    """What all parts became, which attempt of each ended, and how many there were; a worker is killed on the way."""
    tokens: dict[str, list[str]] = {"same": [], "own": []}
    ended: dict[int, int] = {}
    tried = [0]
    parts = iter(range(PARTS))

    async def mask(part: int) -> pa.Table:
        while True:
            tried[0] += 1
            attempt = tried[0]
            batch = rows("same", f"own{part}")
            client, start = clients[attempt % CONNECTIONS], start_of(part, attempt)
            try:
                answer = await streamed(client, bearer(ticket), [batch], start)
            except grpc.aio.AioRpcError as error:
                if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
                    raise
                await asyncio.sleep(0.05)
                continue
            if answer.end is not None:
                ended[part] = attempt
                return answer.table

    async def work() -> None:
        for part in parts:
            made = (await mask(part))["id"].to_pylist()
            tokens["same"].append(made[0])
            tokens["own"].append(made[1])

    async def kill() -> None:
        async def is_on_the_way() -> bool:
            return len(ended) >= PARTS // 4

        await eventually(is_on_the_way, seconds=100)
        os.kill(workers(server)[0], signal.SIGKILL)

    await asyncio.gather(kill(), *(work() for _ in range(AT_ONCE)))
    return tokens, ended, tried[0]
