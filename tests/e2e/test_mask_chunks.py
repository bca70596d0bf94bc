"""UnmaskStream over killed servers, two of them at once, and thousands of chunks in little memory."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from masker import keys as key_files
from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.faults import Served, eventually, served, verified_log
from tests.masks import scope
from tests.parts import Placet
from tests.unmasking import announced, masked, opened, unmasked

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}} if {
    input.action.name == "unmask"
}

allow contains {"rule": "mask", "reason": "mask"} if input.action.name == "mask"

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}
"""
DATA = '{"domains": {"person.id": {"mask": "token", "values": "open"}}, "groups": {"data-stewards": ["user:bob"]}}'
ID = {"id": "person.id"}
VALUES = [f"v{number}" for number in range(40)]
CHUNKS, WARM_CHUNKS = 1500, 300
MORE_BYTES = 16 << 20
"""What a server may take more at the last chunk than at the `WARM_CHUNKS`th; the chunks hold 80 MB in all."""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(DATA)
    return folder


@pytest.fixture(scope="module")
def options(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all servers of the deployment have in common."""
    path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "test", now=datetime.now(UTC))
    return {"policy": [policy], "mask_keys": path, "realm": "test", "unmask_values_an_hour": 10**7}


@pytest.fixture
async def server(state: Path, mongod: MongodProcess, tmp_path: Path, options: dict[str, Any]) -> AsyncIterator[Served]:
    async with served(tmp_path, state, mongod.uri, **options) as running:
        yield running


def fresh() -> mask_pb2.MaskScope:
    return scope(request_id=uuid4().hex)


async def approved(server: Placet, start: mask_pb2.UnmaskStreamStart) -> None:
    async with opened(server, start) as asked:
        assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL
        await server.review(asked.opened.decision.approval, "bob")


async def tokens(server: Placet, rows: int = len(VALUES)) -> pa.RecordBatch:
    async def made() -> pa.RecordBatch:
        return await masked(server, {"id": [f"v{number}" for number in range(rows)]})

    return await eventually(made, seconds=60)  # the kernels are compiled


def resident_bytes(server: Served) -> int:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_killed_between_chunks_another_server_goes_on(
    server: Served, state: Path, mongod: MongodProcess, tmp_path: Path, options: dict[str, Any]
) -> None:
    table = await tokens(server)
    batches = [table.slice(at, 4) for at in range(0, table.num_rows, 4)]
    start = announced(fresh(), batches, ID)
    await approved(server, start)
    got: dict[int, list[str]] = {}
    async with (
        served(tmp_path, state, mongod.uri, database=server.database, **options) as doomed,
        opened(doomed, start) as stream,
    ):
        for index in range(6):
            got[index] = await stream.send(index, batches[index])
        await doomed.kill()
    async with opened(server, start) as stream:
        assert stream.opened.next_chunk == 5
        for index in range(5, len(batches)):
            got[index] = await stream.send(index, batches[index])
        end = await stream.end()
    assert [value for index in range(len(batches)) for value in got[index]] == VALUES
    assert (end.rows, end.chunks) == (40, 10)
    kept = await verified_log(server)
    phases = [kept.payloads[one]["details"]["phase"] for one in kept.of(Kind.UNMASK)]
    assert (phases.count("started"), phases.count("chunk"), phases.count("complete")) == (2, 11, 1)


async def test_memory_stays_flat_over_many_chunks(server: Served) -> None:
    table = await tokens(server, rows=1200)
    start = announced(fresh(), [table] * CHUNKS, ID)
    await approved(server, start)
    memory: list[int] = []
    async with opened(server, start) as stream:
        for index in range(CHUNKS):
            await stream.send(index, table)
            stream.values.clear()
            memory.append(resident_bytes(server))
        assert (await stream.end()).rows == CHUNKS * table.num_rows
    assert max(memory[WARM_CHUNKS:]) - memory[WARM_CHUNKS] < MORE_BYTES


async def test_all_is_unmasked_by_whichever_server_is_asked(
    server: Served, state: Path, mongod: MongodProcess, tmp_path: Path, options: dict[str, Any]
) -> None:
    table = await tokens(server)
    batches = [table.slice(at, 10) for at in range(0, table.num_rows, 10)]
    start = announced(fresh(), batches, ID)
    await approved(server, start)
    async with served(tmp_path, state, mongod.uri, database=server.database, **options) as other:
        for turn in range(3):
            async with opened([server, other][turn % 2], start) as stream:
                assert stream.opened.next_chunk == turn
                await stream.send(turn, batches[turn])
                await stream.send(turn + 1, batches[turn + 1])
        assert await unmasked(other, start, batches) == VALUES[30:]
    await verified_log(server)
