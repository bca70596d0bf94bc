"""Whatever batches come, the chunks hold the same rows in order, are the same each time, and fit messages both ways."""

import random
import weakref
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.arrow import chunks, table
from pdp.arrow.table import MAX_MESSAGE_BYTES
from pdp.arrow.token_tree import MAX_CHUNK_ROWS
from pdp.errors import ValueRefused
from tests.hostile import TYPES

TEXT = pa.schema([("t", pa.string())])


def in_batches(whole: pa.RecordBatch, sizes: list[int]) -> Iterator[pa.RecordBatch]:
    at = 0
    for size in sizes:
        yield whole.slice(at, size)
        at += size
    yield whole.slice(at)


def sent(chunk: pa.RecordBatch) -> pa.RecordBatch:
    """A chunk as the other side reads it: with nothing that came before."""
    reader = table.Reader("test", chunk.schema)
    made = [reader.take(message) for message in chunks.messages(chunk, chunk.schema)]
    assert [batch is None for batch in made] == [True] * (len(made) - 1) + [False]
    return made[-1]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 40_000), max_size=6), st.integers(0, 60))
def test_chunks_hold_all_rows_in_order_and_are_the_same_each_time(sizes: list[int], length: int) -> None:
    whole = pa.record_batch({"t": [f"{row:0{length or 1}}" for row in range(sum(sizes) + 3)]}, TEXT)
    made = list(chunks.cut(in_batches(whole, sizes), TEXT))
    assert pa.Table.from_batches(made, TEXT) == pa.Table.from_batches([whole], TEXT)
    assert made == list(chunks.cut(in_batches(whole, sizes), TEXT))
    assert all(0 < chunk.num_rows <= MAX_CHUNK_ROWS for chunk in made)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_type_arrives_as_it_was(name: str) -> None:
    batch = pa.record_batch({"c": TYPES[name]})
    [chunk] = chunks.cut([batch.slice(0, 1), batch.slice(1)], batch.schema)
    assert sent(chunk).to_pydict() == batch.to_pydict()


def test_small_batches_are_joined() -> None:
    batch = pa.record_batch({"t": ["a"]}, TEXT)
    assert [chunk.num_rows for chunk in chunks.cut([batch] * 100_000, TEXT)] == [65_536, 34_464]
    assert list(chunks.cut([], TEXT)) == []
    assert list(chunks.cut([batch.slice(0, 0)], TEXT)) == []


def test_long_text_is_cut_so_that_escapes_would_fit_the_answer() -> None:
    batch = pa.record_batch({"t": ["x" * 1000] * 5000}, TEXT)
    made = list(chunks.cut([batch], TEXT))
    assert sum(chunk.num_rows for chunk in made) == 5000
    assert all(4.5 * sum(map(len, chunk["t"].to_pylist())) < MAX_MESSAGE_BYTES for chunk in made)


@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.string()), pa.struct([("x", pa.string())])])
def test_nulls_that_come_back_as_wide_numbers_leave_room(kind: pa.DataType) -> None:
    fact = {"placet.input_type": "decimal256(40, 0)"}
    leaf = pa.field("x", pa.string(), metadata=fact)
    nested: dict[Any, pa.Field] = {
        pa.list_(pa.string()): pa.field("c", pa.list_(leaf)),
        pa.struct([("x", pa.string())]): pa.field("c", pa.struct([leaf])),
    }
    described = pa.schema([nested.get(kind, pa.field("c", pa.string(), metadata=fact))])
    value: Any = {pa.list_(pa.string()): [None] * 4, pa.struct([("x", pa.string())]): {"x": None}}.get(kind)
    batch = pa.record_batch([pa.array([value] * 200_000, described.field(0).type)], schema=described)
    items = 4 if pa.types.is_list(kind) else 1
    assert all(chunk.num_rows * items * 32 < MAX_MESSAGE_BYTES for chunk in chunks.cut([batch], described))


@pytest.mark.parametrize("is_ordered", [False, True])
def test_chunk_carries_the_entries_that_it_uses_and_no_others(*, is_ordered: bool) -> None:
    entries = pa.array([f"{number:0100}" for number in range(60_000)])
    places = pa.array([random.Random(1).randrange(60_000) for _ in range(1000)] + [None], pa.int32())
    column = pa.DictionaryArray.from_arrays(places, entries, ordered=is_ordered)
    batch = pa.record_batch({"t": column, "n": pa.array(range(1001))})
    made = list(chunks.cut([batch.slice(0, 400), batch.slice(400)], batch.schema))
    assert all(len(chunk.column("t").dictionary) <= chunk.num_rows for chunk in made)
    assert [row for chunk in made for row in sent(chunk).to_pylist()] == batch.to_pylist()


def test_few_batches_are_in_memory_at_a_time() -> None:
    alive = set[int]()

    def reading() -> Iterator[pa.RecordBatch]:
        for number in range(100):
            batch = pa.record_batch({"t": [f"{number:0100}"] * 1000}, TEXT)
            alive.add(number)
            weakref.finalize(batch, alive.discard, number)
            yield batch

    rows = 0
    for chunk in chunks.cut(reading(), TEXT):
        rows += chunk.num_rows
        assert len(alive) <= 12  # what fits one chunk, and the one that did not
    assert rows == 100_000


def test_row_that_no_message_holds_is_refused_without_its_content() -> None:
    batch = pa.record_batch({"t": ["secret" * 2**20]}, TEXT)
    [chunk] = chunks.cut([batch], TEXT)
    with pytest.raises(ValueRefused) as refused:
        chunks.messages(chunk, TEXT)
    assert "secret" not in refused.value.sentence
