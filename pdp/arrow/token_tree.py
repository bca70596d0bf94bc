"""What an approval to unmask many chunks fits: an entry for each chunk, and the Merkle root over all of them.

Pure. `UnmaskStream` in the contract says what an entry holds.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pdp import merkle
from pdp.arrow import documents, tokens
from pdp.arrow.table import Batch
from pdp.bad_fields import MAX_NAMED
from pdp.errors import InvalidRequest, PdpError
from pdp.v1.mask_pb2 import UnmaskChunkEntry, UnmaskStreamStart

MAX_CHUNKS = 1 << 16
"""Chunks of one stream: their entries take 3 MiB, so that the start fits one message."""
MAX_CHUNK_ROWS = 1 << 16
"""Rows of a chunk."""
OWN = ("columns", "column_domains", "count", "chunks", "tokens_tree")
"""The members of the context that `context` makes; the server alone sets them."""
_DIGEST_BYTES = 32
_ARROW_SCHEMA, _RECORD_PATHS = 1, 2
"""The numbers that say which shape the first entry holds."""


class ChunkRefused(PdpError):
    """A chunk is not the next one, or not as its entry says; the sentence names the chunk and what differs."""

    code = "INVALID_ARGUMENT"
    reason = "CHUNK_REFUSED"


def entry(batch: Batch, columns: Sequence[str], *, is_records: bool) -> UnmaskChunkEntry:
    """The entry of a chunk whose `columns` are reversed; of JSON records these are leaf paths."""
    values = (
        tokens.json_values(batch.column(0).to_pylist(), columns)
        if is_records
        else documents.reversed_values(batch, columns)
    )
    digest = tokens_digest(batch, columns, is_records=is_records)
    return UnmaskChunkEntry(rows=batch.num_rows, values=values, tokens_sha256=bytes.fromhex(digest))


def tokens_digest(batch: Batch, columns: Sequence[str], *, is_records: bool) -> str:
    """The digest over the tokens of a chunk, in hex."""
    return tokens.records_digest(batch.column(0).to_pylist()) if is_records else tokens.columns_digest(batch, columns)


def context(start: UnmaskStreamStart) -> dict[str, Any]:
    """The members of the context that bind a decision to these chunks. Raises `InvalidRequest`."""
    refuse_unbounded(start)
    return {
        "columns": list(start.columns),
        "column_domains": list(start.domains),
        "count": sum(chunk.values for chunk in start.chunks),
        "chunks": len(start.chunks),
        "tokens_tree": root(start),
    }


def root(start: UnmaskStreamStart) -> str:
    """The root over the entries, in hex."""
    return merkle.root([merkle.leaf(data) for data in _entries(start)]).hex()


def refuse_unbounded(start: UnmaskStreamStart) -> None:
    """Raise `InvalidRequest` for a start beyond the contract."""
    if bad := list(islice(_bad_fields(start), MAX_NAMED)):
        raise InvalidRequest.fields(bad)


def _bad_fields(start: UnmaskStreamStart) -> Iterator[tuple[str, str]]:
    if not start.columns:
        yield "start.columns", "is required: the columns to reverse; GetMaskPlan names them"
    if len(set(start.columns)) < len(start.columns):
        yield "start.columns", "names a column twice"
    if len(start.domains) != len(start.columns):
        yield "start.domains", "is required: one domain for each of the columns, in their order"
    if len(start.chunks) > MAX_CHUNKS:
        yield "start.chunks", f"has more than {MAX_CHUNKS:,} chunks; unmask the rest by itself"
    for index, chunk in enumerate(start.chunks):
        if chunk.rows > MAX_CHUNK_ROWS:
            yield f"start.chunks[{index}].rows", f"is more than {MAX_CHUNK_ROWS:,}"
        if len(chunk.tokens_sha256) != _DIGEST_BYTES:
            yield f"start.chunks[{index}].tokens_sha256", "is not a SHA-256 of 32 bytes"


def require_entry(start: UnmaskStreamStart, index: int, batch: Batch) -> None:
    """Raise `ChunkRefused` unless a batch is, in this place, what its entry says."""
    if index >= len(start.chunks):
        raise ChunkRefused(f"chunk {index} is one more than the start names")
    is_records = start.shape.WhichOneof("shape") == "record_paths"
    found, wanted = entry(batch, start.columns, is_records=is_records), start.chunks[index]
    for name in ("rows", "values", "tokens_sha256"):
        if getattr(found, name) != getattr(wanted, name):
            raise ChunkRefused(
                f"chunk {index} differs from its entry in `{name}`; send the very chunks that were approved"
            )


def _entries(start: UnmaskStreamStart) -> Iterator[bytes]:
    yield _table_entry(start)
    for chunk in start.chunks:
        yield _number(chunk.rows) + _number(chunk.values) + chunk.tokens_sha256


def _table_entry(start: UnmaskStreamStart) -> bytes:
    columns = [_text(text.encode()) for pair in zip(start.columns, start.domains, strict=True) for text in pair]
    head = [_number(len(start.columns)), *columns, _number(start.scope.masked_key_version)]
    if start.shape.WhichOneof("shape") == "record_paths":
        paths = start.shape.record_paths.paths
        return b"".join([*head, _number(_RECORD_PATHS), _number(len(paths)), *(_text(path.encode()) for path in paths)])
    return b"".join([*head, _number(_ARROW_SCHEMA), _text(start.shape.arrow_schema)])


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _text(encoded: bytes) -> bytes:
    return _number(len(encoded)) + encoded
