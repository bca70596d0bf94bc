"""A masking that is longer than a stream may be: further streams by themselves, or an end with a row to go on from."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import SECONDS, Terminal
from tests.masks import masking
from tests.parts import Placet

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}} if {
	input.resource.id == "asked"
}

allow contains {"rule": "free", "reason": "free"} if input.resource.id == "free"

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}
"""
DATA = '{"domains": {"person.id": {"mask": "token", "values": "open"}}, "groups": {"data-stewards": ["user:bob"]}}'
SCHEMA = pa.schema([("id", pa.string())])
AS = ("--as", "alice", "--format", "arrows")


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(DATA)
    async with masking(state, mongod.uri, policy=(folder,), stream_seconds=4) as running:
        yield running


async def fed(process: asyncio.subprocess.Process, until: str) -> tuple[int, str]:
    """Write a row at a time until the command says something, then end the pipe. The rows, and all that it said."""
    assert process.stdin is not None
    assert process.stderr is not None
    sink, rows, said = io.BytesIO(), 0, b""
    telling = asyncio.ensure_future(process.stderr.readline())
    async with asyncio.timeout(SECONDS):
        with pa.ipc.new_stream(sink, SCHEMA) as writer:
            while until.encode() not in said:
                writer.write_batch(pa.record_batch({"id": [f"r{rows}"]}, SCHEMA))
                rows += 1
                process.stdin.write(sink.getvalue())
                sink.seek(0)
                sink.truncate()
                await asyncio.wait([telling], timeout=0.05)
                if telling.done():
                    said += telling.result()
                    telling = asyncio.ensure_future(process.stderr.readline())
        process.stdin.write(sink.getvalue())
        process.stdin.close()
        said += await telling + await process.stderr.read()
        await process.wait()
    return rows, said.decode()


async def test_a_long_masking_goes_on_in_another_stream(pdp: Terminal, tmp_path: Path) -> None:
    process = await pdp.start(
        *("mask", "run", "-", "--to", "m.parquet", "--table", "free", *AS, "--request-id", "long"),
    )
    rows, said = await fed(process, "another stream goes on from row")
    assert process.returncode == 0, said
    masked = parquet.read_table(tmp_path / "m.parquet")["id"].to_pylist()
    assert len(set(masked)) == rows
    assert f"{rows} rows to m.parquet, recorded as rec_" in said
    assert said.count("rec_") >= 2, "each stream has a decision and a record of its own"
    one = ("--from-row", f"{rows - 1}")
    again = await pdp("mask", "run", "m.parquet", "--to", "n.parquet", "--table", "free", "--as", "alice", *one)
    assert again.status == 0, again.err
    assert parquet.read_table(tmp_path / "n.parquet").num_rows == 1


async def test_where_people_approve_it_ends_at_a_row_and_says_so(pdp: Terminal, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": ["x"]}), tmp_path / "a.parquet")
    table = ("--table", "asked", "--as", "alice")
    asked = await pdp("mask", "run", "a.parquet", "--to", "none.parquet", *table)
    assert asked.status == 11
    approval = next(word for word in asked.err.split() if word.startswith("apr_"))
    assert (await pdp("approvals", "approve", approval, "--as", "bob", "--reason", "seen")).status == 0
    process = await pdp.start(
        *("mask", "run", "-", "--to", "m.parquet", *table, "--format", "arrows", "--approval-id", approval)
    )
    rows, said = await fed(process, "the output ends before row")
    assert process.returncode == 11, said
    masked = parquet.read_table(tmp_path / "m.parquet").num_rows
    assert 0 < masked < rows
    assert f"mask the rest with --from-row {masked}, into another file" in said
