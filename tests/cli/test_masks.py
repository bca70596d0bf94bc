"""`pdp mask` as a user runs it."""

import asyncio
import contextlib
import gzip
import io
import json
import os
import pty
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import PDP, SECONDS, Terminal
from tests.cli.test_streams import unread
from tests.masks import masking
from tests.parts import Placet

CSV = 'rec_id,postcode,surname\nr1,0800,Smith\nr2,,"smith"\nr3,4814,""\n'


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


AS_ALICE = ("--table", "crm.customers", "--as", "alice")


async def test_files_of_two_formats_go_into_a_folder_and_join(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    parquet.write_table(pa.table({"rec_id": ["r3", "r1"]}), tmp_path / "b.parquet")
    (tmp_path / "out").mkdir()
    done = await pdp("mask", "run", tmp_path / "a.csv", tmp_path / "b.parquet", "--to", tmp_path / "out", *AS_ALICE)
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


async def test_nothing_is_left_of_what_did_not_fit(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rec_id,email\nr1,a@b.example\nr2,nobody-at-all\n")
    done = await pdp("mask", "run", tmp_path / "a.csv", "--to", tmp_path / "m.csv", *AS_ALICE)
    assert done.status == 2
    assert "column email, row 1, rule customers.email" in done.err
    assert "nobody" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


async def test_a_pipe_and_records(pdp: Terminal, tmp_path: Path) -> None:
    records = b'{"surname":"Smith","postcode":"0800"}\n{"surname":null}\n'
    piped = await pdp("mask", "run", "-", "--format", "jsonl", *AS_ALICE, given=records)
    assert piped.status == 0, piped.err
    lines = [json.loads(line) for line in piped.out.splitlines()]
    assert lines[0]["surname"].startswith("name_")
    assert lines[0]["postcode"] == "080"
    assert lines[1] == {"surname": None}
    late = b'{"surname":"Smith"}\n' * 60_000 + b'{"salary":"1"}\n'
    failed = await pdp("mask", "run", "-", "--format", "jsonl", *AS_ALICE, "--to", tmp_path / "o.jsonl", given=late)
    assert failed.status == 2
    assert "salary" in failed.err
    assert not list(tmp_path.iterdir())


async def test_the_plan_and_the_same_masks_embedded(pdp: Terminal, state: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    plan = await pdp("mask", "plan", "--schema", tmp_path / "a.csv", *AS_ALICE, "-o", "json")
    assert plan.status == 0
    assert [column["mask"] for column in json.loads(plan.out)["plan"]["columns"]] == ["token", "generalize", "token"]
    keys = state / "keys" / "mask.json"
    here = await pdp("mask", "run", tmp_path / "a.csv", "--to", tmp_path / "h.csv", "--keys", keys, *AS_ALICE)
    there = await pdp("mask", "run", tmp_path / "a.csv", "--to", tmp_path / "t.csv", *AS_ALICE)
    assert (here.status, there.status) == (0, 0)
    assert (tmp_path / "h.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


async def test_odd_files_come_out_whole_or_end_in_one_sentence(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rec_id;surname\nr1;Smith\n")
    (tmp_path / "quote.csv").write_text('rec_id,"surname\nr1,Smith\n')
    (tmp_path / "ragged.csv").write_text("rec_id,surname\n" + "r1,x\n" * 65_001 + "r1,SECRET,3\n")
    (tmp_path / "long.csv").write_text("rec_id,surname\n" + "SECRET" * 1_500_000 + ",1\n")
    parquet.write_table(pa.table({"rec_id": ["SECRET" * 50] * 1000}), tmp_path / "cut.parquet", compression="none")
    body = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(body[:4] + b"\xff" * 300 + body[304:])
    for name, told in (
        ("a.csv", "pass --delimiter ';'"),
        ("quote.csv", "quotation mark"),
        ("ragged.csv", "row 65001 (rows count from 0) has 3 cells"),
        ("long.csv", "longer than 4 MiB"),
        ("cut.parquet", "not whole"),
    ):
        before = sorted(tmp_path.iterdir())
        done = await pdp("mask", "run", tmp_path / name, "--to", tmp_path / f"out-{name}", *AS_ALICE)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), done.err
        assert told in done.err
        assert "SECRET" not in done.err
        assert sorted(tmp_path.iterdir()) == before
    read = await pdp("mask", "run", "a.csv", "--to", "m.csv", "--delimiter", ";", *AS_ALICE)
    assert read.status == 0, read.err
    assert (tmp_path / "m.csv").read_text().startswith("rec_id;surname\n")


async def test_packed_files_and_arrays_are_masked_and_unmasked(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("rec_id\nr1\nö\n".encode("utf-16")))
    (tmp_path / "b.json").write_text('[{"surname": "Smith"},\n {"surname": null}]')
    packed = await pdp("mask", "run", "a.csv.gz", "--to", "m.csv.gz", "--encoding", "utf-16", *AS_ALICE)
    array = await pdp("mask", "run", "b.json", "--to", "m.json", *AS_ALICE)
    assert (packed.status, array.status) == (0, 0), packed.err + array.err
    assert gzip.decompress((tmp_path / "m.csv.gz").read_bytes()).startswith(b"rec_id\nrec_")
    made = json.loads((tmp_path / "m.json").read_text())
    assert made[0]["surname"].startswith("name_")
    assert made[1] == {"surname": None}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
async def test_an_ended_run_leaves_nothing(pdp: Terminal, tmp_path: Path, number: signal.Signals) -> None:
    process = await pdp.start("mask", "run", "-", "--format", "csv", "--to", "m.csv", *AS_ALICE)
    assert process.stdin is not None
    async with asyncio.timeout(SECONDS):
        process.stdin.write(b"rec_id,surname\n" + b"r1,Smith\n" * 2_000_000)
        await process.stdin.drain()  # all but a little is read, and the rest never ends
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == -number
    assert b"Traceback" not in err
    assert not list(tmp_path.iterdir())


async def on_a_terminal(pdp: Terminal, *command: str | Path) -> int:
    """The exit status where all three streams are a terminal."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *PDP, *map(str, command), cwd=pdp.folder, env=pdp.environment(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    drained = asyncio.create_task(asyncio.to_thread(drain, ours))
    status = await process.wait()
    await drained
    os.close(ours)
    return status


def drain(terminal: int) -> None:
    """Read until the other end is closed, so that nobody waits to write."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


async def test_two_at_once_and_a_terminal_make_the_same_file(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    command = ("mask", "run", tmp_path / "a.csv", "--to", "m.csv", *AS_ALICE)
    first, second = await asyncio.gather(pdp(*command), pdp(*command))
    assert (first.status, second.status) == (0, 0), first.err + second.err
    alone = (tmp_path / "m.csv").read_bytes()
    assert await on_a_terminal(pdp, *command) == 0
    assert (tmp_path / "m.csv").read_bytes() == alone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "m.csv", "m.csv.placet.json"]


async def test_the_other_commands_do_the_same_twice_at_once_and_on_a_terminal(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    assert (await pdp("mask", "run", "a.csv", "--to", "m.csv", *AS_ALICE)).status == 0
    for status, command in (
        (0, ("mask", "plan", "--schema", "a.csv", *AS_ALICE)),
        (0, ("mask", "rewrap", "m.csv", "--to", "w.csv", "--table", "crm.customers", "--as", "bob")),
        (11, ("unmask", "m.csv", "--to", "u.csv", *AS_ALICE)),
    ):
        first, second = await asyncio.gather(pdp(*command), pdp(*command))
        assert (first.status, second.status) == (status, status), first.err + second.err
        made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert await on_a_terminal(pdp, *command) == status
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made
    assert (tmp_path / "w.csv").read_bytes() == (tmp_path / "m.csv").read_bytes()
    assert not (tmp_path / "u.csv").exists()


@pytest.mark.parametrize("rows", [1, 200_000])
async def test_a_reader_that_goes_away_ends_it_quietly(pdp: Terminal, tmp_path: Path, rows: int) -> None:
    (tmp_path / "a.csv").write_text("rec_id\n" + "".join(f"r{number}\n" for number in range(rows)))
    assert await unread(pdp, "mask", "run", "a.csv", "--to", "-", *AS_ALICE) == (141, "")
    assert await unread(pdp, "mask", "plan", "--schema", "a.csv", *AS_ALICE) == (141, "")


async def test_a_refusal_of_the_masks_names_the_table(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    other = ("--as", "alice", "--table", "customers")
    for command in (("run", "a.csv", "--to", "m.csv"), ("plan", "--schema", "a.csv")):
        done = await pdp("mask", *command, *other)
        assert done.err.startswith("MASK_PLAN_REFUSED: table customers: the policy has no mask for column rec_id"), done


async def test_a_refusal_ends_a_run_that_waits_for_its_pipe(pdp: Terminal, tmp_path: Path) -> None:
    begun = io.BytesIO()
    with pa.ipc.new_stream(begun, pa.schema([("secret", pa.string())])) as writer:
        writer.write_batch(pa.record_batch({"secret": ["x"]}))
    head = begun.getvalue()
    for given, form, told in (
        (head[:-8], "arrows", "MASK_PLAN_REFUSED"),
        (b"rec_id,email\n" + b"r1,nobody\n" + b"r1,a@b.example\n" * 600_000, "csv", "column email"),
    ):
        process = await pdp.start("mask", "run", "-", "--format", form, "--to", "m.csv", *AS_ALICE)
        assert process.stdin is not None
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS):
            process.stdin.write(given)
            assert told in (await process.stderr.read()).decode()
            assert await process.wait() in {2, 3}
    assert not list(tmp_path.iterdir())
