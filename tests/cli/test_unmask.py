"""`pdp unmask` as a user runs it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.masks import masking
from tests.parts import Placet

CSV = 'rec_id,postcode,surname\nr1,0800,Smith\nr2,,"smith"\nr3,4814,""\n'


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


AS_ALICE = ("--table", "crm.customers", "--as", "alice")


async def test_unmasking_asks_people_first(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    await pdp("mask", "run", tmp_path / "a.csv", "--to", tmp_path / "m.csv", *AS_ALICE)
    unmask = ("unmask", tmp_path / "m.csv", "--to", tmp_path / "u.csv", "--column", "rec_id", *AS_ALICE)
    asked = await pdp(*unmask)
    assert asked.status == 11
    assert not (tmp_path / "u.csv").exists()
    approval = next(word for word in asked.err.split() if word.startswith("apr_"))
    assert (await pdp("approvals", "approve", approval, "--as", "bob", "--reason", "seen")).status == 0
    done = await pdp(*unmask, "--approval-id", approval)
    assert done.status == 0, done.err
    assert [line.split(",")[0] for line in (tmp_path / "u.csv").read_text().splitlines()[1:]] == [
        "r1",
        "r2",
        "r3",
    ]
    denied = await pdp(*unmask, "--approval-id", approval)
    assert denied.status == 12


async def test_more_than_a_call_unmasks_is_refused_with_what_to_do(pdp: Terminal, tmp_path: Path) -> None:
    rows = 100_000
    parquet.write_table(pa.table({"rec_id": [f"rec_{number:060}" for number in range(rows)]}), tmp_path / "m.parquet")
    unmask = ("unmask", tmp_path / "m.parquet", "--to", tmp_path / "u.parquet", *AS_ALICE)
    refused = await pdp(*unmask)
    assert refused.status == 2
    assert "100,000 rows" in refused.err
    assert "each part needs an approval" in refused.err
    assert not (tmp_path / "u.parquet").exists()
    advised = re.search(r"about ([\d,]+) rows", refused.err)
    assert advised is not None
    part = parquet.read_table(tmp_path / "m.parquet").slice(0, int(advised[1].replace(",", "")))
    parquet.write_table(part, tmp_path / "m.parquet")
    assert "MiB" not in (await pdp(*unmask)).err
