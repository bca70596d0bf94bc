"""`pdp unmask` as a user runs it: any size and format under one approval, and nothing left of what is not whole."""

import asyncio
import gzip
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from pdp.process.mongod import MongodProcess
from pdp.v1 import approval_pb2, mask_pb2
from tests.cli.terminal import Done, Terminal
from tests.masks import arrow, masking, scope
from tests.parts import Placet

POLICY = """package policy

allow contains {"rule": "mask", "reason": "masking is for everybody"} if input.action.name == "mask"

allow contains {"rule": "free", "reason": "nobody is in it"} if input.resource.id == "free"

needs_approval contains {
	"rule": "two",
	"reason": "two people look at it",
	"reviewers": {"groups": ["data-stewards"]},
	"count": 2,
} if {
	input.action.name == "unmask"
	input.resource.id == "kept"
}

deny contains {"rule": "few", "reason": "at most a thousand values at once"} if {
	input.action.name == "unmask"
	input.context.count > 1000
	input.resource.id == "few"
}

allow contains {"rule": "few", "reason": "they are few"} if input.resource.id == "few"

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}

mask contains {"rule": "rest", "reason": "it says nothing", "columns": ["n", "note"], "mask": "clear"}
"""
DATA = '{"domains": {"person.id": {"mask": "token", "values": "open"}}, "identities": {"agent:dev": {"owners": []}}}'
ROWS = pa.table({"id": ["r1", None, "", 'ß, "x"', "r5"], "n": ["1", "2", None, "", "5"]})
MANY = 60_000
FREE = ("--table", "free", "--as", "alice")
KEPT = ("--table", "kept", "--as", "alice")


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(DATA)
    async with masking(state, mongod.uri, policy=[folder], unmask_values_an_hour=10_000_000) as running:
        yield running


def write(path: Path, rows: pa.Table) -> None:
    records = [json.dumps(row, ensure_ascii=False) for row in rows.to_pylist()]
    match path.name.partition(".")[2]:
        case "parquet":
            parquet.write_table(rows, path)
        case "arrow":
            feather.write_feather(rows, str(path), compression="uncompressed")
        case "jsonl":
            path.write_text("".join(f"{record}\n" for record in records))
        case "json":
            path.write_text(f"[{', '.join(records)}]")
        case "csv.gz":
            path.write_bytes(gzip.compress(delimited(rows, ",")))
        case "tsv" | "csv" as name:
            path.write_bytes(delimited(rows, "\t" if name == "tsv" else ","))


def delimited(rows: pa.Table, delimiter: str) -> bytes:
    def cell(value: str | None) -> str:
        if value is None or (value and not set(value) & {'"', delimiter}):
            return value or ""
        return '"' + value.replace('"', '""') + '"'

    lines = [rows.column_names, *(map(cell, row.values()) for row in rows.to_pylist())]
    return "".join(f"{delimiter.join(line)}\n" for line in lines).encode()


def read(path: Path) -> Any:
    match path.name.partition(".")[2]:
        case "parquet":
            return parquet.read_table(path).to_pylist()
        case "arrow":
            return feather.read_table(str(path)).to_pylist()
        case "jsonl":
            return [json.loads(line) for line in path.read_text().splitlines()]
        case "json":
            return json.loads(path.read_text())
        case "csv.gz":
            return gzip.decompress(path.read_bytes())
    return path.read_bytes()


async def masked(server: Placet, path: Path, rows: pa.Table) -> Path:
    """A file of the masked rows."""
    request = mask_pb2.MaskRequest(scope=scope("free", on_behalf_of=()), data=arrow(rows))
    answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    write(path, pa.ipc.open_stream(answer.data.arrow_stream).read_all())
    return path


async def approve(server: Placet, asked: Done) -> str:
    """Have two people approve what was asked."""
    assert asked.status == 11, asked.err
    approval_id = next(word for word in asked.err.split() if word.startswith("apr_"))
    for person in ("bob", "carol"):
        read = approval_pb2.GetApprovalRequest(approval_id=approval_id)
        seen = await server.approvals.GetApproval(read, metadata=server.metadata(person))
        await server.review(seen.approval, person)
    return approval_id


@pytest.mark.parametrize("name", ["parquet", "arrow", "jsonl", "json", "csv.gz", "tsv"])
async def test_every_format_comes_back_as_it_was(server: Placet, pdp: Terminal, tmp_path: Path, name: str) -> None:
    path = await masked(server, tmp_path / f"masked.{name}", ROWS)
    done = await pdp("unmask", path, "--to", tmp_path / f"back.{name}", *FREE)
    assert done.status == 0, done.err
    assert "5 rows to" in done.err
    write(tmp_path / f"plain.{name}", ROWS)
    assert read(tmp_path / f"back.{name}") == read(tmp_path / f"plain.{name}")


async def test_table_of_no_rows_comes_back(pdp: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "masked.parquet"
    parquet.write_table(ROWS.slice(0, 0), path)
    done = await pdp("unmask", path, "--to", tmp_path / "back.parquet", *FREE)
    assert done.status == 0, done.err
    assert parquet.read_table(tmp_path / "back.parquet").num_rows == 0


async def test_large_file_is_unmasked_under_one_approval_by_two_people(
    server: Placet, pdp: Terminal, tmp_path: Path
) -> None:
    rows = pa.table({"id": [f"r{number:030}" for number in range(MANY)], "n": [str(number) for number in range(MANY)]})
    parquet.write_table(rows, tmp_path / "plain.parquet")
    path = tmp_path / "masked.parquet"
    assert (await pdp("mask", "run", tmp_path / "plain.parquet", "--to", path, *FREE)).status == 0
    unmask = ("unmask", path, "--to", tmp_path / "back.parquet", *KEPT)
    asked = await pdp(*unmask)
    assert not (tmp_path / "back.parquet").exists()
    queue = await pdp("approvals", "list", "--queue", "--as", "carol", "-o", "table")
    assert "unmask table:kept (60,000 values)" in queue.out
    approval = await approve(server, asked)
    assert f"run this command again with --approval-id {approval}" in " ".join(asked.err.split())

    shown = await pdp("approvals", "show", approval, "--as", "bob", "-o", "table", "--tokens", path)
    assert shown.status == 0
    assert "unmasks       60,000 values of table kept, in " in shown.out
    assert "column      id, domain person.id" in shown.out
    assert "exactly these tokens" in shown.err

    done = await pdp(*unmask, "--approval-id", approval)
    assert done.status == 0, done.err
    assert parquet.read_table(tmp_path / "back.parquet") == rows
    assert (await pdp(*unmask, "--approval-id", approval)).status == 12


async def test_approval_fits_no_other_file(server: Placet, pdp: Terminal, tmp_path: Path) -> None:
    path = await masked(server, tmp_path / "masked.csv", ROWS)
    unmask = ("unmask", path, "--to", tmp_path / "back.csv", *KEPT)
    approval = await approve(server, await pdp(*unmask))
    header, first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, *rest, first]))
    refused = await pdp(*unmask, "--approval-id", approval)
    assert refused.status == 12
    assert "context.tokens_tree" in refused.err
    shown = await pdp("approvals", "show", approval, "--as", "alice", "--tokens", path)
    assert shown.status == 12
    assert "this approval is for other tokens" in shown.err
    assert not (tmp_path / "back.csv").exists()


async def test_policy_decides_by_the_number_of_values(server: Placet, pdp: Terminal, tmp_path: Path) -> None:
    path = await masked(server, tmp_path / "masked.parquet", pa.table({"id": list(map(str, range(1001)))}))
    few = ("--table", "few", "--as", "alice")
    denied = await pdp("unmask", path, "--to", tmp_path / "back.parquet", *few)
    assert denied.status == 10
    assert "at most a thousand values" in denied.err
    parquet.write_table(parquet.read_table(path).slice(1), path)
    assert (await pdp("unmask", path, "--to", tmp_path / "back.parquet", *few)).status == 0


async def test_what_comes_through_pipes_goes_through_pipes(server: Placet, pdp: Terminal, tmp_path: Path) -> None:
    path = await masked(server, tmp_path / "masked.csv", ROWS)
    done = await pdp("unmask", "-", "--format", "csv", *FREE, given=path.read_bytes())
    assert done.status == 0, done.err
    assert done.out.encode() == delimited(ROWS, ",")


async def test_path_of_a_record_far_behind_is_unmasked(server: Placet, pdp: Terminal, tmp_path: Path) -> None:
    path = await masked(server, tmp_path / "masked.jsonl", pa.table({"id": ["r1"]}))
    line = path.read_text()
    path.write_text('{"n":"1"}\n' * 100_000 + line)
    done = await pdp("unmask", path, "--to", tmp_path / "back.jsonl", *FREE)
    assert done.status == 0, done.err
    assert (tmp_path / "back.jsonl").read_text().splitlines()[-1] == '{"id": "r1"}'


async def test_broken_token_is_named_by_its_row_and_nothing_is_written(
    server: Placet, pdp: Terminal, tmp_path: Path
) -> None:
    path = await masked(server, tmp_path / "masked.parquet", pa.table({"id": ["r1"]}))
    tokens = parquet.read_table(path)
    ids = tokens.column("id").to_pylist() * MANY
    ids[50_000] = ids[50_000][:-4] + ("aaaa" if ids[50_000][-4:] != "aaaa" else "bbbb")
    parquet.write_table(pa.table({"id": ids}, tokens.schema), path)
    refused = await pdp("unmask", path, "--to", tmp_path / "back.parquet", *FREE)
    assert refused.status == 2
    assert "VALUE_REFUSED" in refused.err
    assert "row 50000" in refused.err
    assert ids[50_000] not in refused.err
    assert not (tmp_path / "back.parquet").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_command_that_is_ended_leaves_nothing(pdp: Terminal, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "tmp").mkdir()
    os.mkfifo(tmp_path / "in.csv")
    command = ("unmask", tmp_path / "in.csv", "--to", tmp_path / "back.csv", *FREE)
    process = await pdp.start(*command, TMPDIR=str(tmp_path / "tmp"))
    with await asyncio.to_thread((tmp_path / "in.csv").open, "w") as pipe:  # opens when the command reads
        pipe.write("id\nr1\n")
        pipe.flush()
        process.send_signal(number)
        await process.communicate()
    assert process.returncode == -number
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "tmp"]
    assert not list((tmp_path / "tmp").iterdir())
