"""A file from end to end: masked, approved by two people, unmasked over a server that is killed, and the log intact."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from masker import keys as key_files
from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import GetApprovalRequest
from tests.cli.terminal import Done, Terminal
from tests.faults import Served, served, verified_log
from tests.parts import log

POLICY = """package policy

allow contains {"rule": "mask", "reason": "masking is for everybody"} if input.action.name == "mask"

needs_approval contains {
	"rule": "two",
	"reason": "two people look at it",
	"reviewers": {"groups": ["data-stewards"]},
	"count": 2,
} if {
	input.action.name == "unmask"
}

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}

mask contains {"rule": "rest", "reason": "it says nothing", "columns": ["n"], "mask": "clear"}
"""
DATA = '{"domains": {"person.id": {"mask": "token", "values": "open"}}, "identities": {"agent:dev": {"owners": []}}}'
COUNT = 60_000
ROWS = pa.table({"id": [f"r{number:030}" for number in range(COUNT)], "n": [str(number) for number in range(COUNT)]})
IN_THE_FIRST_CHUNK = 50_000
"""Bytes of an output that the first chunk has."""
ASKING = ("--table", "kept", "--as", "alice")


@asynccontextmanager
async def serving(folder: Path, state: Path, mongod: MongodProcess, **changes: Any) -> AsyncIterator[Served]:
    """A server as a process; another one on its address and database goes on with its work."""
    async with served(
        folder,
        state,
        mongod.uri,
        policy=[folder / "policy"],
        realm="test",
        mask_keys=folder / "mask.json",
        unmask_values_an_hour=10 * COUNT,
        seconds=100,
        **changes,
    ) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.rego").write_text(POLICY)
    (tmp_path / "policy" / "data.json").write_text(DATA)
    key_files.create(tmp_path / "mask.json", "test", now=datetime.now(UTC))
    return tmp_path


async def approve(server: Served, asked: Done) -> str:
    assert asked.status == 11, asked.err
    approval_id = next(word for word in asked.err.split() if word.startswith("apr_"))
    for person in ("bob", "carol"):
        read = GetApprovalRequest(approval_id=approval_id)
        await server.review(
            (await server.approvals.GetApproval(read, metadata=server.metadata(person))).approval, person
        )
    return approval_id


def write(path: Path) -> None:
    if path.suffix == ".csv":
        path.write_text("id,n\n" + "".join(f"{row['id']},{row['n']}\n" for row in ROWS.to_pylist()))
    else:
        parquet.write_table(ROWS, path)


def rows(name: str, content: bytes) -> pa.Table:
    if name == "csv":
        text = csv.ConvertOptions(column_types={"id": pa.string(), "n": pa.string()})
        return csv.read_csv(io.BytesIO(content), convert_options=text)
    return parquet.read_table(io.BytesIO(content))


@pytest.mark.parametrize("name", ["csv", "parquet"])
async def test_file_is_unmasked_over_a_killed_server(
    folder: Path, state: Path, mongod: MongodProcess, name: str
) -> None:
    write(folder / f"plain.{name}")
    masked, back = folder / f"masked.{name}", folder / f"back.{name}"
    unmask = ("unmask", masked, "--to", back, *ASKING)
    os.mkfifo(back)  # so that the command writes what it has, and waits where nobody reads
    async with serving(folder, state, mongod) as doomed:
        pdp = Terminal(folder, {"PDP_ADDRESS": doomed.address, "PDP_STATE": str(state)})
        done = await pdp("mask", "run", folder / f"plain.{name}", "--to", masked, *ASKING)
        assert done.status == 0, done.err
        once = ("--approval-id", await approve(doomed, await pdp(*unmask)), "--request-id", "once")
        process = await pdp.start(*unmask, *once)
        try:
            with await asyncio.to_thread(back.open, "rb") as pipe:
                content = await asyncio.to_thread(pipe.read, IN_THE_FIRST_CHUNK)
                await doomed.kill()
                async with serving(folder, state, mongod, database=doomed.database, listen=doomed.address) as server:
                    content += await asyncio.to_thread(pipe.read)
                    _, said = await process.communicate()
                    assert process.returncode == 0, said.decode()
                    assert "the connection broke" in said.decode()
                    assert rows(name, content) == ROWS
                    await recorded_once(server)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def recorded_once(server: Served) -> None:
    phases = [held["details"]["phase"] for _, held in await log(server, Kind.UNMASK)]
    assert phases.count("complete") == 1
    await verified_log(server)
