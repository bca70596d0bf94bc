"""Turns the bytes of a request into Arrow and back. In `pdp`, only this file imports pyarrow.

It trusts no data that comes in, and it is the only way in: nobody looks into a batch that was not read here.
1. One message at a time is read, without compression, and what it claims is bounded (`bounds`), so that a small message
   cannot become a large one in memory.
2. Then each batch is validated in full: offsets, views, indices, entries of dictionaries, UTF-8. pyarrow itself checks
   only that buffers lie inside their message, and an offset beyond them reads the server's memory.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from masker.arrow.schema import facts, has_views, is_dictionary, walk
from masker.arrow.table import is_sound
from pdp.arrow import bounds, flatbuffer
from pdp.arrow.bounds import MAX_ROWS
from pdp.arrow.in_memory import Pending, Sink
from pdp.errors import AnswerTooLarge, InvalidRequest

MAX_MESSAGE_BYTES = 4 * 1024 * 1024 - 1024
"""Bytes of an IPC message that leaves. With its envelope it stays below the 4 MiB that every gRPC client accepts."""
_PREFIX_BYTES = 8
"""An encapsulated IPC message begins with the continuation mark and the size of its metadata, 4 bytes each."""
_CONTINUATION = b"\xff\xff\xff\xff"
_INVALID = (
    "is not valid Arrow data: a length, an offset, an index or a text is wrong; "
    "build it with an Arrow library and call its validate(full=True)"
)
_MAX_WAITING_BYTES = 64 << 20
"""Bytes of dictionaries that wait for their batch."""

Schema: TypeAlias = Any
Batch: TypeAlias = Any


def schema(message: bytes | memoryview, path: str) -> Schema:
    """The schema in an encapsulated IPC message."""
    return _guarded(path, "is not an Arrow schema in an encapsulated IPC message", lambda: _readable(message))


def schema_of(stream: bytes, path: str) -> Schema:
    """The schema of an IPC stream, which is its first message; what follows is not read."""
    first = next(_messages(stream, path), b"")
    if not first:
        raise InvalidRequest.field(path, "is empty; send an Arrow IPC stream")
    return schema(first, path)


def schema_bytes(described: Schema) -> bytes:
    """A schema as an encapsulated IPC message."""
    return bytes(described.serialize())


def schema_digest(described: Schema) -> str:
    """SHA-256, in hex, over names and types without metadata."""
    return hashlib.sha256(schema_bytes(described.remove_metadata())).hexdigest()


def read(stream: bytes, path: str) -> tuple[Schema, Batch]:
    """An IPC stream as one batch."""
    reader = Reader(path)
    batches: list[Batch] = []
    for message in _messages(stream, path):
        batches += [batch for batch in [reader.take(message)] if batch is not None]
        if reader.rows > MAX_ROWS:
            raise InvalidRequest.field(path, f"has more than {MAX_ROWS} rows; use MaskStream")
        bounds.refuse_large(reader.expanded, path)
    if reader.schema is None:
        raise InvalidRequest.field(path, "is empty; send an Arrow IPC stream")
    return reader.schema, whole(batches, reader.schema)


def is_divisible(described: Schema) -> bool:
    """Whether the rows of such a batch can be worked on in slices: dictionaries and views would be in each of them."""
    return not has_views(described) and not any(is_dictionary(field.type) for _, field in walk(described))


def joined(batches: Sequence[Batch]) -> Batch:
    """Slices of one batch, made into one again."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


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
    """Takes IPC messages one by one. The first is the schema, unless the schema is known.

    `rows` and `expanded` (bytes with dictionaries and views written out) are sums over all batches that it gave.
    """

    def __init__(self, path: str, schema: Schema | None = None) -> None:
        self._path, self.schema = path, schema
        self.rows, self.expanded = 0, 0.0
        self._pending = Pending()
        self._reader: Any = None
        if schema is not None:
            self._open(schema_bytes(schema))

    def take(self, message: bytes | memoryview) -> Batch | None:
        """The batch that is complete with this message, bounded and valid; None after a schema or a dictionary."""
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
            if len(self._pending) > _MAX_WAITING_BYTES:
                raise InvalidRequest.field(self._path, "has too many dictionaries before their record batch")
            return None
        return self._checked(self._guarded("is not a record batch of its schema", self._reader.read_next_batch))

    def _checked(self, batch: Batch) -> Batch:
        """Lengths first, then bounds, then all content: that looks at every text that a view points to."""
        self._guarded(_INVALID, batch.validate)
        self.expanded += self._guarded(_INVALID, lambda: bounds.refuse_unbounded(batch, self._path))
        self.rows += batch.num_rows
        for number, column in enumerate(batch.columns):
            if not is_sound(column):
                raise InvalidRequest.field(self._path, f"{_INVALID}; it is column {number}, counted from 0")
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
        metadata = b"" if parsed.type == "schema" else bytes(parsed.metadata)
        if metadata and flatbuffer.is_compressed(metadata):
            raise InvalidRequest.field(self._path, "is compressed; send buffers as they are, gRPC can compress")
        if metadata and flatbuffer.is_delta(metadata) and self.schema is not None and has_views(self.schema):
            # pyarrow joins the pieces, and validates each view for that, before their size is known
            raise InvalidRequest.field(self._path, "is a piece of a dictionary beside views; send dictionaries whole")
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
        self._sink = Sink()
        self.is_ordered = any(is_dictionary(field.type) for _, field in walk(described))
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, "w"), described)
        self._has_begun = False

    def messages(self, batch: Batch) -> Iterator[Any]:
        """The batch in as many messages as it needs. Each message is a buffer."""
        for part in _parts(batch, self._limit):
            for message in self._with_dictionaries(part) if self.is_ordered else [part.serialize()]:
                if len(message) > MAX_MESSAGE_BYTES:
                    raise AnswerTooLarge("a masked row or dictionary is larger than a message; send smaller batches")
                yield message

    def _with_dictionaries(self, batch: Batch) -> list[bytes]:
        self._writer.write_batch(batch)
        made = list(_messages(self._sink.taken(), "output"))
        begun, self._has_begun = self._has_begun, True
        return made if begun else made[1:]  # the first message is the schema, which the client has already


def _parts(batch: Batch, limit: int) -> Iterator[Batch]:
    """Slices of a batch that fit into a message and the bounds; a slice of one row is not cut further."""
    is_small = pa.ipc.get_record_batch_size(batch) <= limit
    is_small = is_small and bounds.batch_bytes(batch, is_slice=True) <= bounds.MAX_EXPANDED_BYTES
    if is_small or batch.num_rows <= 1:
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


def _empty(described: Schema) -> Batch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in described], schema=described)


def _readable(message: bytes | memoryview) -> Schema:
    """A schema whose names, types and metadata of ours can be read: their text may be no UTF-8."""
    described = pa.ipc.read_schema(pa.py_buffer(message))
    for _, field in walk(described):
        f"{field.name}{field.type}{facts(field)}"
    return described


def _guarded(path: str, problem: str, action: Callable[[], Any]) -> Any:
    """Run `action`; if pyarrow fails, raise `InvalidRequest` without pyarrow's own words, which may quote the data."""
    try:
        return action()
    except (pa.ArrowException, StopIteration, EOFError, OSError, ValueError, OverflowError):
        pass
    raise InvalidRequest.field(path, problem)
