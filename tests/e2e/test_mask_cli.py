"""`pdp mask`, `pdp unmask` and `pdp keys` as a user runs them."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pdp.process.mongod import MongodProcess
from tests.masks import masking
from tests.parts import Placet

CSV = 'rec_id,postcode,surname\nr1,0800,Smith\nr2,,"smith"\nr3,4814,""\n'


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


@dataclass(frozen=True)
class Done:
    status: int
    out: bytes
    err: str


async def pdp(server: Placet, *arguments: object, given: bytes = b"") -> Done:
    environment = {**os.environ, "PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pdp", *map(str, arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    out, err = await process.communicate(given)
    return Done(process.returncode or 0, out, err.decode())


AS_ALICE = ("--table", "crm.customers", "--as", "alice")


async def test_files_of_two_formats_go_into_a_folder_and_join(server: Placet, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    parquet.write_table(pa.table({"rec_id": ["r3", "r1"]}), tmp_path / "b.parquet")
    (tmp_path / "out").mkdir()
    done = await pdp(
        server, "mask", "run", tmp_path / "a.csv", tmp_path / "b.parquet", "-o", tmp_path / "out", *AS_ALICE
    )
    assert done.status == 0, done.err
    assert "token in customer.record  key 1" in done.err
    assert "3 rows" in done.err
    lines = (tmp_path / "out" / "a.csv").read_text().splitlines()
    cells = [line.replace('"', "").split(",") for line in lines]
    assert cells[0] == ["rec_id", "postcode", "surname"]
    assert [row[1] for row in cells[1:]] == ["080", "", "481"]
    assert cells[1][2] == cells[2][2] != cells[3][2]
    tokens = parquet.read_table(tmp_path / "out" / "b.parquet")["rec_id"].to_pylist()
    assert tokens == [cells[3][0], cells[1][0]]
    assert json.loads((tmp_path / "out" / "a.csv.placet.json").read_text())["columns"]["rec_id"]["key_version"] == "1"


async def test_nothing_is_left_of_what_did_not_fit(server: Placet, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rec_id,email\nr1,a@b.example\nr2,nobody-at-all\n")
    done = await pdp(server, "mask", "run", tmp_path / "a.csv", "-o", tmp_path / "m.csv", *AS_ALICE)
    assert done.status == 2
    assert "column email, row 1, rule customers.email" in done.err
    assert "nobody" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


async def test_a_pipe_and_records(server: Placet, tmp_path: Path) -> None:
    records = b'{"surname":"Smith","postcode":"0800"}\n{"surname":null}\n'
    piped = await pdp(server, "mask", "run", "-", "--format", "jsonl", *AS_ALICE, given=records)
    assert piped.status == 0, piped.err
    lines = [json.loads(line) for line in piped.out.splitlines()]
    assert lines[0]["surname"].startswith("name_")
    assert lines[0]["postcode"] == "080"
    assert lines[1] == {"surname": None}
    late = b'{"surname":"Smith"}\n' * 60_000 + b'{"salary":"1"}\n'
    failed = await pdp(
        server, "mask", "run", "-", "--format", "jsonl", *AS_ALICE, "-o", tmp_path / "o.jsonl", given=late
    )
    assert failed.status == 2
    assert "salary" in failed.err
    assert not list(tmp_path.iterdir())


async def test_the_plan_and_the_same_masks_embedded(server: Placet, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    plan = await pdp(server, "mask", "plan", "--schema", tmp_path / "a.csv", *AS_ALICE, "-o", "json")
    assert plan.status == 0
    assert [column["mask"] for column in json.loads(plan.out)["plan"]["columns"]] == ["token", "generalize", "token"]
    keys = server.state / "keys" / "mask.json"
    here = await pdp(server, "mask", "run", tmp_path / "a.csv", "-o", tmp_path / "h.csv", "--keys", keys, *AS_ALICE)
    there = await pdp(server, "mask", "run", tmp_path / "a.csv", "-o", tmp_path / "t.csv", *AS_ALICE)
    assert (here.status, there.status) == (0, 0)
    assert (tmp_path / "h.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


async def test_unmasking_asks_people_first(server: Placet, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    await pdp(server, "mask", "run", tmp_path / "a.csv", "-o", tmp_path / "m.csv", *AS_ALICE)
    unmask = ("unmask", tmp_path / "m.csv", "-o", tmp_path / "u.csv", "--column", "rec_id", *AS_ALICE)
    asked = await pdp(server, *unmask)
    assert asked.status == 11
    assert not (tmp_path / "u.csv").exists()
    approval = next(word for word in asked.err.split() if word.startswith("apr_"))
    assert (await pdp(server, "approvals", "approve", approval, "--as", "bob", "--reason", "seen")).status == 0
    done = await pdp(server, *unmask, "--approval-id", approval)
    assert done.status == 0, done.err
    assert [line.split(",")[0] for line in (tmp_path / "u.csv").read_text().splitlines()[1:]] == [
        '"r1"',
        '"r2"',
        '"r3"',
    ]
    denied = await pdp(server, *unmask, "--approval-id", approval)
    assert denied.status == 12


async def test_more_than_a_call_unmasks_is_refused_with_what_to_do(server: Placet, tmp_path: Path) -> None:
    rows = 100_000
    parquet.write_table(pa.table({"rec_id": [f"rec_{number:060}" for number in range(rows)]}), tmp_path / "m.parquet")
    unmask = ("unmask", tmp_path / "m.parquet", "-o", tmp_path / "u.parquet", *AS_ALICE)
    refused = await pdp(server, *unmask)
    assert refused.status == 2
    assert "100,000 rows" in refused.err
    assert "each part needs an approval" in refused.err
    assert not (tmp_path / "u.parquet").exists()
    advised = re.search(r"about ([\d,]+) rows", refused.err)
    assert advised is not None
    part = parquet.read_table(tmp_path / "m.parquet").slice(0, int(advised[1].replace(",", "")))
    parquet.write_table(part, tmp_path / "m.parquet")
    assert "MiB" not in (await pdp(server, *unmask)).err


async def test_keys_are_made_listed_rotated_and_retired(server: Placet, tmp_path: Path) -> None:
    keys = tmp_path / "mask.json"
    assert (await pdp(server, "keys", "rotate", keys)).status == 1
    assert (await pdp(server, "keys", "rotate", keys, "--realm", "prod")).status == 0
    assert keys.stat().st_mode & 0o777 == 0o600
    assert (await pdp(server, "keys", "rotate", keys)).status == 0
    listed = (await pdp(server, "keys", "list", keys)).out.decode()
    assert "realm prod" in listed
    assert "1  readable" in listed
    assert "2  active" in listed
    secret = json.loads(keys.read_text())["keys"][0]["secret"]
    assert secret not in listed
    assert (await pdp(server, "keys", "retire", keys, 2)).status == 1
    assert (await pdp(server, "keys", "retire", keys, 1)).status == 0
