"""Batches of any size -> chunks that fit one message each, masked or not. The same rows always give the same chunks.

A chunk is a record batch of at most 65,536 rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from masker.arrow import buffers, tree
from masker.arrow.schema import facts, is_dictionary, original_type, plain_type, walk
from masker.path import Path
from pdp.arrow import bounds, table
from pdp.arrow.table import MAX_MESSAGE_BYTES, Batch, Schema
from pdp.arrow.token_tree import MAX_CHUNK_ROWS
from pdp.errors import AnswerTooLarge, ValueRefused

Array: TypeAlias = Any

ANSWER_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
"""What the rows of a chunk may take when they come back; 64 KiB are left for the metadata of many columns."""
_GROWTH = 4.5
"""How much longer text can be than what it was masked to. A character of a JSON text may become an escape of six, and a
token takes four bytes for three; an `fpe` alphabet has at most four bytes for one. Other masks make text longer."""


def cut(batches: Iterable[Batch], described: Schema) -> Iterator[Batch]:
    """Chunks of all rows, in order."""
    widths = dict(_widths(described))
    waiting: list[Batch] = []
    rows, size = 0, 0.0
    for piece, cost in (each for batch in batches for each in _pieces(batch, widths)):
        if waiting and (rows + piece.num_rows > MAX_CHUNK_ROWS or size + cost > ANSWER_BYTES):
            yield _compact(table.whole(waiting, described))
            waiting, rows, size = [], 0, 0.0
        waiting.append(piece)
        rows, size = rows + piece.num_rows, size + cost
    if waiting:
        yield _compact(table.whole(waiting, described))


def messages(chunk: Batch, described: Schema) -> list[bytes]:
    """A chunk as IPC messages: the dictionaries that it uses, then the record batch. Raises `ValueRefused`."""
    try:
        made = [bytes(message) for message in table.Writer(described).messages(chunk)]
    except AnswerTooLarge:
        made = []
    if not made or sum(map(len, made)) > MAX_MESSAGE_BYTES:
        raise ValueRefused("a row and the dictionaries that it uses are larger than a message; write them out")
    return made


def _pieces(batch: Batch, widths: Mapping[Path, float]) -> Iterator[tuple[Batch, float]]:
    """Slices of a batch that fit a chunk, with what they take there; a slice of one row is not cut further."""
    cost = _GROWTH * bounds.batch_bytes(batch, is_slice=True) + _answer_bytes(batch, widths)
    if batch.num_rows <= 1 or (batch.num_rows <= MAX_CHUNK_ROWS and cost <= ANSWER_BYTES):
        yield from [(batch, cost)] if batch.num_rows else []
        return
    middle = batch.num_rows // 2
    yield from _pieces(batch.slice(0, middle), widths)
    yield from _pieces(batch.slice(middle), widths)


def _answer_bytes(batch: Batch, widths: Mapping[Path, float]) -> float:
    """Bytes of the columns that come back as numbers or dates, where a null takes as much as a value."""
    tops = {name: index for index, name in enumerate(batch.schema.names)}
    return sum(width * len(tree.below(batch.column(tops[path[0]]), path[1:])) for path, width in widths.items())


def _widths(described: Schema) -> Iterator[tuple[Path, float]]:
    """The paths of these columns, and the bytes of one value."""
    for path, field in walk(described):
        opened = original_type(field.type, facts(field).get("input_type"))
        try:
            yield path, plain_type(opened).bit_width / 8
        except (AttributeError, ValueError):  # text has no width
            continue


def _compact(batch: Batch) -> Batch:
    """The batch without the entries of dictionaries that its rows do not use."""
    for index, field in enumerate(batch.schema):
        if is_dictionary(field.type):
            batch = batch.set_column(index, field, _used(batch.column(index)))
    return batch


def _used(column: Array) -> Array:
    rows = np.arange(len(column))
    made = tree.through_dictionary(column, column.type, buffers.flags(column), rows, lambda values, _: values)
    return made if made.type == column.type else made.cast(column.type)
