"""The root changes with whatever a reviewer relies on, and a chunk is only taken where and as its entry says."""

import hashlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.arrow import table, token_tree
from pdp.arrow.token_tree import ChunkRefused
from pdp.errors import InvalidRequest
from pdp.v1.mask_pb2 import (
    MaskScope,
    MaskShape,
    RecordPaths,
    UnmaskChunkEntry,
    UnmaskStreamStart,
)

CHUNK = st.builds(
    UnmaskChunkEntry,
    rows=st.integers(0, token_tree.MAX_CHUNK_ROWS),
    values=st.integers(0, 1 << 40),
    tokens_sha256=st.binary(min_size=32, max_size=32),
)
NAMES = st.lists(st.text(max_size=4), min_size=1, max_size=3, unique=True)
SHAPES = st.one_of(
    st.builds(MaskShape, arrow_schema=st.binary(max_size=8)),
    st.builds(MaskShape, record_paths=st.builds(RecordPaths, paths=st.lists(st.text(max_size=3), max_size=3))),
)


@st.composite
def starts(draw: st.DrawFn) -> UnmaskStreamStart:
    columns = draw(NAMES)
    return UnmaskStreamStart(
        scope=MaskScope(masked_key_version=draw(st.integers(0, 3))),
        shape=draw(SHAPES),
        columns=columns,
        domains=[draw(st.sampled_from(["", "a", "b", "ab"])) for _ in columns],
        chunks=draw(st.lists(CHUNK, max_size=6)),
    )


def naive_root(start: UnmaskStreamStart) -> str:
    """The contract's rules, one after the other."""

    def number(value: int) -> bytes:
        return bytes(value >> shift & 255 for shift in range(56, -1, -8))

    def text(value: str | bytes) -> bytes:
        raw = value.encode() if isinstance(value, str) else value
        return number(len(raw)) + raw

    head = number(len(start.columns))
    for column, domain in zip(start.columns, start.domains, strict=True):
        head += text(column) + text(domain)
    head += number(start.scope.masked_key_version)
    if start.shape.HasField("record_paths"):
        head += number(2) + number(len(start.shape.record_paths.paths))
        for path in start.shape.record_paths.paths:
            head += text(path)
    else:
        head += number(1) + text(start.shape.arrow_schema)
    entries = [head]
    entries += [number(chunk.rows) + number(chunk.values) + chunk.tokens_sha256 for chunk in start.chunks]

    def subtree(below: list[bytes]) -> bytes:
        if len(below) == 1:
            return hashlib.sha256(b"\0" + below[0]).digest()
        split = 1
        while split * 2 < len(below):
            split *= 2
        return hashlib.sha256(b"\1" + subtree(below[:split]) + subtree(below[split:])).digest()

    return subtree(entries).hex()


@settings(deadline=None)
@given(starts())
def test_root_is_what_the_contract_says(start: UnmaskStreamStart) -> None:
    assert token_tree.root(start) == naive_root(start)


@settings(deadline=None)
@given(starts(), starts())
def test_two_starts_have_one_root_only_if_they_say_the_same(one: UnmaskStreamStart, other: UnmaskStreamStart) -> None:
    is_same = one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)
    assert (token_tree.root(one) == token_tree.root(other)) == is_same


def base() -> UnmaskStreamStart:
    chunks = [UnmaskChunkEntry(rows=n, values=n, tokens_sha256=bytes([n]) * 32) for n in (1, 2, 3)]
    schema = pa.schema([pa.field("t", pa.string(), metadata={"placet.domain": "d"})], metadata={"k": "v"})
    return UnmaskStreamStart(
        scope=MaskScope(masked_key_version=1),
        shape=MaskShape(arrow_schema=table.schema_bytes(schema)),
        columns=["t", "u"],
        domains=["d", "e"],
        chunks=chunks,
    )


def swapped(start: UnmaskStreamStart) -> None:
    first, second, *rest = [UnmaskChunkEntry.FromString(chunk.SerializeToString()) for chunk in start.chunks]
    del start.chunks[:]
    start.chunks.extend([second, first, *rest])


def reshaped(name: str, kind: pa.DataType, metadata: dict[str, str]) -> Callable[[UnmaskStreamStart], None]:
    schema = pa.schema([pa.field(name, kind, metadata={"placet.domain": "d"})], metadata=metadata)

    def change(start: UnmaskStreamStart) -> None:
        start.shape.arrow_schema = table.schema_bytes(schema)

    return change


CHANGES: dict[str, Callable[[UnmaskStreamStart], Any]] = {
    "another order of chunks": swapped,
    "one chunk fewer": lambda start: start.chunks.pop(),
    "one chunk twice": lambda start: start.chunks.append(start.chunks[0]),
    "one row more": lambda start: setattr(start.chunks[1], "rows", 9),
    "one value more": lambda start: setattr(start.chunks[1], "values", 9),
    "another token": lambda start: setattr(start.chunks[1], "tokens_sha256", bytes(32)),
    "another domain": lambda start: start.domains.__setitem__(0, "x"),
    "domains swapped": lambda start: start.domains.reverse(),
    "another column": lambda start: start.columns.__setitem__(0, "x"),
    "columns and domains swapped": lambda start: (start.columns.reverse(), start.domains.reverse()),
    "another key version": lambda start: setattr(start.scope, "masked_key_version", 2),
    "another name in the shape": reshaped("T", pa.string(), {"k": "v"}),
    "another type in the shape": reshaped("t", pa.large_string(), {"k": "v"}),
    "other metadata": reshaped("t", pa.string(), {"k": "w"}),
    "paths for a schema": lambda start: start.shape.record_paths.paths.append("t"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_gives_another_root(name: str) -> None:
    start = base()
    CHANGES[name](start)
    assert token_tree.root(start) != token_tree.root(base())


def test_what_is_approved_names_columns_domains_values_chunks_and_root() -> None:
    bound = token_tree.context(base())
    assert bound == {
        "columns": ["t", "u"],
        "column_domains": ["d", "e"],
        "count": 6,
        "chunks": 3,
        "tokens_tree": naive_root(base()),
    }
    assert tuple(bound) == token_tree.OWN


def test_most_chunks_fit_one_message() -> None:
    start = base()
    most = UnmaskChunkEntry(rows=token_tree.MAX_CHUNK_ROWS, values=1 << 24, tokens_sha256=b"\xff" * 32)
    del start.chunks[:]
    start.chunks.extend([most] * token_tree.MAX_CHUNKS)
    assert start.ByteSize() < 3.1 * 2**20
    token_tree.refuse_unbounded(start)


BROKEN: dict[str, tuple[Callable[[UnmaskStreamStart], Any], str]] = {
    "no columns": (lambda start: start.ClearField("columns"), "start.columns"),
    "a column twice": (lambda start: start.columns.__setitem__(1, "t"), "start.columns"),
    "a domain too few": (lambda start: start.domains.pop(), "start.domains"),
    "a chunk too many": (
        lambda start: start.chunks.extend([start.chunks[0]] * token_tree.MAX_CHUNKS),
        "start.chunks",
    ),
    "a row too many": (lambda start: setattr(start.chunks[1], "rows", 65_537), "start.chunks[1].rows"),
    "half a digest": (lambda start: setattr(start.chunks[2], "tokens_sha256", b"x"), "start.chunks[2].tokens_sha256"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_start_beyond_the_contract_is_refused_by_field(name: str) -> None:
    start, (change, field) = base(), BROKEN[name]
    change(start)
    with pytest.raises(InvalidRequest) as refused:
        token_tree.context(start)
    assert refused.value.violations[0][0] == field


BATCHES = [pa.record_batch({"t": [f"tok_{n}", None], "note": ["x", "y"]}) for n in range(3)]


def announced(columns: list[str]) -> UnmaskStreamStart:
    entries = [token_tree.entry(batch, columns, is_records=False) for batch in BATCHES]
    shape = MaskShape(arrow_schema=table.schema_bytes(BATCHES[0].schema))
    return UnmaskStreamStart(shape=shape, columns=columns, domains=["d"] * len(columns), chunks=entries)


def test_chunk_is_taken_where_and_as_its_entry_says() -> None:
    start = announced(["t"])
    for index, batch in enumerate(BATCHES):
        token_tree.require_entry(start, index, batch)
    assert [(chunk.rows, chunk.values) for chunk in start.chunks] == [(2, 1)] * 3


@pytest.mark.parametrize(
    ("index", "batch", "differs"),
    [
        (0, BATCHES[1], "`tokens_sha256`"),
        (0, BATCHES[0].slice(0, 1), "`rows`"),
        (0, pa.record_batch({"t": ["tok_0", "tok_1"], "note": ["x", "y"]}), "`values`"),
        (3, BATCHES[0], "one more"),
    ],
)
def test_chunk_that_differs_from_its_entry_is_refused(index: int, batch: pa.RecordBatch, differs: str) -> None:
    with pytest.raises(ChunkRefused, match=differs) as refused:
        token_tree.require_entry(announced(["t"]), index, batch)
    assert "tok_" not in refused.value.sentence


def test_records_are_digested_as_their_texts() -> None:
    records = pa.record_batch({"record": pa.array(['{"t":"tok_1","n":2}', '{"n":3}'], pa.large_string())})
    made = token_tree.entry(records, ["t"], is_records=True)
    texts = [b'{"t":"tok_1","n":2}', b'{"n":3}']
    plain = (7).to_bytes(4, "big") + b"records" + (2).to_bytes(8, "big")
    plain += b"".join(len(text).to_bytes(4, "big") + text for text in texts)
    assert made == UnmaskChunkEntry(rows=2, values=1, tokens_sha256=hashlib.sha256(plain).digest())
