"""Turns the bytes of a request into Arrow and back. In `pdp`, only this file imports pyarrow.

It trusts no data that comes in:
1. pyarrow checks that buffers lie inside their message, and `masker` checks their content.
2. This file accepts one message at a time, without compression and with few rows, so that a small message cannot become
   a large one in memory.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from masker.arrow.schema import is_dictionary, walk
from pdp.arrow import flatbuffer
from pdp.errors import InvalidRequest, ValueRefused

MAX_ROWS = 1 << 20
"""Rows in one batch: a limit of the contract."""
MAX_MESSAGE_BYTES = 4 * 1024 * 1024 - 1024
"""Bytes of an IPC message that leaves. With its envelope it stays below the 4 MiB that every gRPC client accepts."""
_PREFIX_BYTES = 8
"""An encapsulated IPC message begins with the continuation mark and the size of its metadata, 4 bytes each."""
_CONTINUATION = b"\xff\xff\xff\xff"
_MAX_NESTING = 16
"""Levels of nested columns. It bounds the walk over a batch that claims more."""

Schema: TypeAlias = Any
Batch: TypeAlias = Any


def schema(message: bytes | memoryview, path: str) -> Schema:
    """The schema in an encapsulated IPC message."""
    return _guarded(
        path, "is not an Arrow schema in an encapsulated IPC message", lambda: pa.ipc.read_schema(pa.py_buffer(message))
    )


def schema_bytes(described: Schema) -> bytes:
    """A schema as an encapsulated IPC message."""
    return bytes(described.serialize())


def schema_digest(described: Schema) -> str:
    """SHA-256, in hex, over names and types without metadata."""
    return hashlib.sha256(schema_bytes(described.remove_metadata())).hexdigest()


def read(stream: bytes, path: str) -> tuple[Schema, Batch]:
    """An IPC stream as one batch."""
    reader = Reader(path)
    taken = [reader.take(message) for message in _messages(stream, path)]
    if reader.schema is None:
        raise InvalidRequest.field(path, "is empty; send an Arrow IPC stream")
    batches = [batch for batch in taken if batch is not None]
    if sum(batch.num_rows for batch in batches) > MAX_ROWS:
        raise InvalidRequest.field(path, f"has more than {MAX_ROWS} rows; use MaskStream")
    return reader.schema, whole(batches, reader.schema)


def batch_of(columns: Mapping[str, Sequence[Any]]) -> Batch:
    """A batch of Python values, with the types that pyarrow infers."""
    return pa.record_batch({name: pa.array(values) for name, values in columns.items()})


def written(batch: Batch, described: Schema) -> bytes:
    """A batch as an IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, described) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def whole(batches: Iterable[Batch], described: Schema) -> Batch:
    """All batches joined to one."""
    joined = pa.Table.from_batches(list(batches), described).combine_chunks().to_batches()
    return joined[0] if joined else _empty(described)


def record_batch(records: Sequence[str], described: Schema) -> Batch:
    """JSON records as a batch of their one column."""
    return pa.RecordBatch.from_arrays([pa.array(list(records), described.field(0).type)], schema=described)


class Reader:
    """Takes IPC messages one by one. The first is the schema, unless the schema is known."""

    def __init__(self, path: str, schema: Schema | None = None) -> None:
        self._path, self.schema = path, schema
        self._pending = _Pending()
        self._reader: Any = None
        if schema is not None:
            self._open(schema_bytes(schema))

    def take(self, message: bytes | memoryview) -> Batch | None:
        """The batch that is complete with this message; None after a schema or a dictionary."""
        kind = self._kind(message)
        if self._reader is None:
            if kind != "schema":
                raise InvalidRequest.field(self._path, "must begin with a schema")
            self.schema = schema(message, self._path)
            self._open(message)
            return None
        if kind == "schema":
            raise InvalidRequest.field(self._path, "has a second schema; begin another call for another table")
        self._pending.put(message)
        if kind == "dictionary":
            return None
        batch = self._guarded("is not a record batch of its schema", self._reader.read_next_batch)
        if batch.num_rows > MAX_ROWS:
            raise InvalidRequest.field(self._path, f"has more than {MAX_ROWS} rows; send smaller batches")
        _refuse_blown_up(batch, self._path)
        return batch

    def _open(self, message: bytes | memoryview) -> None:
        self._pending.put(message)
        self._reader = self._guarded(
            "is not an Arrow schema", lambda: pa.ipc.open_stream(pa.PythonFile(self._pending, "r"))
        )

    def _kind(self, message: bytes | memoryview) -> str:
        """The kind of a message. Raises `InvalidRequest` unless the bytes are exactly one message."""
        if len(message) < _PREFIX_BYTES or message[:4] != _CONTINUATION:
            raise InvalidRequest.field(self._path, "is not an encapsulated Arrow IPC message")
        parsed = self._guarded("is not an Arrow IPC message", lambda: pa.ipc.read_message(pa.py_buffer(message)))
        body = len(parsed.body) if parsed.body is not None else 0
        if len(message) != _PREFIX_BYTES + int.from_bytes(message[4:8], "little") + body:
            raise InvalidRequest.field(self._path, "is not exactly one Arrow IPC message; send each by itself")
        if parsed.type not in {"schema", "dictionary", "record batch"}:
            raise InvalidRequest.field(self._path, "is an Arrow message other than schema, dictionary and record batch")
        if parsed.type != "schema" and flatbuffer.is_compressed(bytes(parsed.metadata)):
            raise InvalidRequest.field(self._path, "is compressed; send buffers as they are, gRPC can compress")
        return str(parsed.type)

    def _guarded(self, problem: str, action: Callable[[], Any]) -> Any:
        return _guarded(self._path, problem, action)


class Writer:
    """Makes of batches encapsulated IPC messages that every client accepts.

    A writer that `is_ordered` sends dictionaries when they change, so it must get the batches in their order. Other
    writers take batches in any order and from any thread.
    """

    def __init__(self, described: Schema, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._limit = limit
        self._sink = _Sink()
        self.is_ordered = any(is_dictionary(field.type) for _, field in walk(described))
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, "w"), described)
        self._has_begun = False

    def messages(self, batch: Batch) -> Iterator[Any]:
        """The batch in as many messages as it needs. Each message is a buffer."""
        for part in _parts(batch, self._limit):
            for message in self._with_dictionaries(part) if self.is_ordered else [part.serialize()]:
                if len(message) > MAX_MESSAGE_BYTES:
                    raise ValueRefused("a masked row or dictionary is larger than a message; send smaller batches")
                yield message

    def _with_dictionaries(self, batch: Batch) -> list[bytes]:
        self._writer.write_batch(batch)
        made = list(_messages(self._sink.taken(), "output"))
        begun, self._has_begun = self._has_begun, True
        return made if begun else made[1:]  # the first message is the schema, which the client has already


def _parts(batch: Batch, limit: int) -> Iterator[Batch]:
    """Slices of a batch that fit into a message; a slice of one row is not cut further."""
    if pa.ipc.get_record_batch_size(batch) <= limit or batch.num_rows <= 1:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from _parts(batch.slice(0, middle), limit)
    yield from _parts(batch.slice(middle), limit)


def _messages(stream: bytes, path: str) -> Iterator[bytes]:
    """The encapsulated messages of a stream, up to its end-of-stream mark."""
    view, at = memoryview(stream), 0
    while at + _PREFIX_BYTES <= len(view):
        size = int.from_bytes(view[at + 4 : at + _PREFIX_BYTES], "little", signed=True)
        if bytes(view[at : at + 4]) != _CONTINUATION or size < 0:
            raise InvalidRequest.field(path, "is not an Arrow IPC stream")
        if size == 0:
            return
        end = at + _PREFIX_BYTES + size
        end += flatbuffer.body_bytes(bytes(view[at + _PREFIX_BYTES : end]))
        if end > len(view):
            raise InvalidRequest.field(path, "ends in the middle of a message")
        yield bytes(view[at:end])
        at = end
    if at != len(view):
        raise InvalidRequest.field(path, "ends in the middle of a message")


def _refuse_blown_up(batch: Batch, path: str) -> None:
    """Refuse a batch with too many values or levels: a fixed-size list of nulls has many values and no bytes."""
    pending = [(column, 0) for column in batch.columns]
    count = 0
    while pending:
        array, depth = pending.pop()
        count += len(array)
        if count > MAX_ROWS * max(16, batch.num_columns) or depth > _MAX_NESTING:
            raise InvalidRequest.field(path, "has more values than its bytes can hold, or nests too deep")
        if pa.types.is_struct(array.type):
            pending += [(array.field(index), depth + 1) for index in range(array.type.num_fields)]
        elif pa.types.is_nested(array.type) and hasattr(array, "values"):
            pending.append((array.values, depth + 1))


def _empty(described: Schema) -> Batch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in described], schema=described)


def _guarded(path: str, problem: str, action: Callable[[], Any]) -> Any:
    """Run `action`; if pyarrow fails, raise `InvalidRequest` without pyarrow's own words, which may quote the data."""
    try:
        return action()
    except (pa.ArrowException, StopIteration, EOFError, OSError, ValueError, OverflowError):
        pass
    raise InvalidRequest.field(path, problem)


class _Pending:
    """A file that holds the bytes that have arrived and were not read yet."""

    closed = False

    def __init__(self) -> None:
        self._data = memoryview(b"")

    def put(self, message: bytes | memoryview) -> None:
        self._data = memoryview(bytes(self._data) + message) if self._data else memoryview(message)

    def read(self, size: int = -1) -> bytes:
        size = len(self._data) if size < 0 else size
        taken, self._data = self._data[:size], self._data[size:]
        return bytes(taken)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class _Sink:
    """A file that keeps what was written until `taken` is called."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
