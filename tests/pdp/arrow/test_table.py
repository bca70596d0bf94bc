"""Arrow in and out of messages: what comes in is one message at a time, small in memory, and exactly what it says."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.arrow import table
from pdp.arrow.table import MAX_MESSAGE_BYTES, MAX_ROWS, Reader, Writer
from pdp.errors import AnswerTooLarge, InvalidRequest

TEXTS = pa.schema([("name", pa.string()), ("count", pa.int64())])
COLUMNS = st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(-9, 9)), max_size=20)


def batch(rows: Any = (("a", 1), ("b", None)), schema: pa.Schema = TEXTS) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def coded(*values: str | None) -> pa.RecordBatch:
    """A batch of one column with a dictionary."""
    return pa.record_batch({"name": pa.array(values).dictionary_encode()})


def sent(made: pa.RecordBatch, limit: int = MAX_MESSAGE_BYTES) -> list[bytes]:
    return [bytes(message) for message in Writer(made.schema, limit).messages(made)]


def taken(messages: list[bytes], schema: pa.Schema | None = None) -> list[pa.RecordBatch]:
    reader = Reader("rows", schema)
    return [found for found in map(reader.take, messages) if found is not None]


def refused(action: Callable[[], Any]) -> None:
    """It is refused, and the field is named."""
    with pytest.raises(InvalidRequest) as error:
        action()
    assert [path for path, _ in error.value.violations] == ["rows"]


@given(COLUMNS)
def test_stream_is_read_back_as_it_was_written(rows: Any) -> None:
    made = batch(rows)
    schema, found = table.read(table.written(made, TEXTS), "rows")
    assert schema == TEXTS
    assert found == made


def test_batches_of_a_stream_become_one() -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TEXTS) as writer:
        writer.write_batch(batch())
        writer.write_batch(batch((("c", 3),)))
    _, found = table.read(bytes(sink.getvalue()), "rows")
    assert found.to_pydict() == {"name": ["a", "b", "c"], "count": [1, None, 3]}
    _, empty = table.read(table.schema_bytes(TEXTS), "rows")
    assert (empty.num_rows, empty.schema) == (0, TEXTS)


@pytest.mark.parametrize("made", [batch(), batch(()), coded("a", "b", "a", None)], ids=["plain", "empty", "coded"])
def test_messages_of_a_writer_are_read_one_by_one(made: pa.RecordBatch) -> None:
    assert taken(sent(made), made.schema) == [made]
    assert taken([table.schema_bytes(made.schema), *sent(made)]) == [made]


def test_batch_is_cut_where_it_does_not_fit_and_a_single_row_that_does_not_is_refused() -> None:
    made = batch([("x" * 1000, number) for number in range(64)])
    messages = sent(made, 10_000)
    assert len(messages) >= 7
    assert max(map(len, messages)) <= 10_000
    assert table.whole(taken(messages, TEXTS), TEXTS) == made
    with pytest.raises(AnswerTooLarge):
        sent(batch([("x" * MAX_MESSAGE_BYTES, 1)]))


def test_dictionary_that_changes_is_sent_again_and_order_is_demanded_only_then() -> None:
    writer = Writer(coded("a").schema)
    assert writer.is_ordered
    assert not Writer(TEXTS).is_ordered
    batches = [coded("a", "b"), coded("c")]
    messages = [bytes(message) for made in batches for message in writer.messages(made)]
    assert len(messages) == 4
    assert [found.to_pydict() for found in taken(messages, coded("a").schema)] == [made.to_pydict() for made in batches]


def compressed() -> bytes:
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TEXTS, options=options) as writer:
        writer.write_batch(batch([("x" * 10_000, 1)]))
    return bytes(sink.getvalue())[len(table.schema_bytes(TEXTS)) : -8]


[PLAIN] = sent(batch())
SCHEMA = table.schema_bytes(TEXTS)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"x",
        PLAIN[:7],
        PLAIN[:-1],
        PLAIN + b"\0",
        PLAIN + PLAIN,
        b"\0" + PLAIN,
        b"\0\0\0\0" + PLAIN[4:],
        PLAIN[:4] + b"\xff\xff\xff\xff" + PLAIN[8:],
        PLAIN[:4] + b"\xff\xff\xff\x7f" + PLAIN[8:],
        SCHEMA,
        compressed(),
        b"\xff\xff\xff\xff\0\0\0\0",  # the end of a stream
    ],
)
def test_what_is_not_exactly_one_batch_is_refused(message: bytes) -> None:
    refused(lambda: Reader("rows", TEXTS).take(message))


def test_schema_comes_first_and_once() -> None:
    refused(lambda: Reader("rows").take(PLAIN))
    reader = Reader("rows")
    assert reader.take(SCHEMA) is None
    assert reader.schema == TEXTS
    refused(lambda: reader.take(SCHEMA))


def test_batch_of_another_schema_is_refused() -> None:
    other = pa.schema([("name", pa.int64()), ("count", pa.list_(pa.int64()))])
    refused(lambda: taken(sent(batch()), other))


@pytest.mark.parametrize("at", range(8, len(SCHEMA), 3))
def test_damaged_schema_is_refused_or_another_schema(at: int) -> None:
    damaged = SCHEMA[:at] + bytes([SCHEMA[at] ^ 0xFF]) + SCHEMA[at + 1 :]
    try:
        table.schema(damaged, "rows")
    except InvalidRequest as error:
        assert [path for path, _ in error.violations] == ["rows"]  # noqa: PT017  # one of two ends


@pytest.mark.parametrize(
    "stream", [b"", b"x" * 16, SCHEMA[:-1], SCHEMA + PLAIN[:-1], SCHEMA + b"\xff", PLAIN, SCHEMA + SCHEMA]
)
def test_stream_that_is_none_is_refused(stream: bytes) -> None:
    refused(lambda: table.read(stream, "rows"))


def test_few_bytes_do_not_become_many_values() -> None:
    nulls = pa.nulls(MAX_ROWS + 1, pa.null())
    refused(lambda: taken(sent(pa.record_batch({"x": nulls})), pa.schema([("x", pa.null())])))
    wide = pa.FixedSizeListArray.from_arrays(pa.nulls(17 * MAX_ROWS, pa.null()), 17)
    refused(lambda: taken(sent(pa.record_batch({"x": wide})), pa.schema([("x", wide.type)])))


def test_nesting_has_an_end() -> None:
    deep: pa.DataType = pa.int64()
    for _ in range(17):
        deep = pa.struct([("a", deep)])
    refused(lambda: taken(sent(pa.record_batch({"x": pa.nulls(1, deep)})), pa.schema([("x", deep)])))


def test_digest_is_of_names_and_types_alone() -> None:
    digest = table.schema_digest(TEXTS)
    assert table.schema_digest(TEXTS.with_metadata({"a": "b"})) == digest
    renamed = pa.schema([("nome", pa.string()), ("count", pa.int64())])
    retyped = pa.schema([("name", pa.large_string()), ("count", pa.int64())])
    assert len({digest, table.schema_digest(renamed), table.schema_digest(retyped)}) == 3


def test_no_error_quotes_what_came() -> None:
    canary = pa.schema([("canary", pa.string())])
    message = bytearray(sent(batch((("canary-value",),), canary))[0])
    message[-8:] = b"\xff" * 8
    for action in (lambda: taken([bytes(message[:-3])], canary), lambda: table.read(b"canary" * 10, "rows")):
        with pytest.raises(InvalidRequest) as error:
            action()
        assert "canary" not in error.value.sentence


def test_records_become_a_batch() -> None:
    one = pa.schema([("json", pa.large_string())])
    assert table.record_batch(['{"a":1}'], one).to_pydict() == {"json": ['{"a":1}']}
