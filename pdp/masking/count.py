"""The values in a batch: counted for the quota, bound to an approval that fits these very tokens."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

import masker
from masker import methods
from masker.arrow import buffers, tree
from masker.arrow.expansion import expanded_bytes
from masker.path import render
from masker.records import COLUMN
from pdp.arrow import token_tree
from pdp.arrow.table import MAX_MESSAGE_BYTES, Batch
from pdp.arrow.tokens import at_path, json_values, present, python_values, records_digest, tokens
from pdp.errors import MaskPlanRefused, ValueRefused
from pdp.masking.plan import reversed_columns, specs
from pdp.masking.rows import Rows
from pdp.v1.mask_pb2 import UnmaskStreamStart

Array: TypeAlias = Any

_MAX_JSON_BYTES = 2 * MAX_MESSAGE_BYTES
"""Bytes of JSON in one column: twice what a message holds, so that only text which views repeat is more. Parsed, it
takes up to a hundred times as much."""


def counts(made: masker.MaskPlan) -> bool:
    """Whether any value of this table counts against the quota."""
    return any(methods.counts(spec, made.direction) for _, spec in specs(made))


def counted_values(made: masker.MaskPlan, batch: Batch) -> int:
    """The values in a batch that count against the quota: those that are turned into tokens and the like, or back."""
    names = [column for column, spec in specs(made) if methods.counts(spec, made.direction)]
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        return documents_values(batch.column(0), names)
    plain = {leaf.column: leaf for leaf in made.leaves}
    total = length(batch, [name for name in names if name in plain and plain[name].spec.mask != "json"])
    for leaf in made.leaves:
        array = at_path(batch, leaf.column) if leaf.spec.mask == "json" else None
        if array is not None:
            below = [path for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)]
            total += documents_values(array, below)
    return total


def unmask_context(made: masker.MaskPlan, rows: Rows) -> dict[str, Any]:
    """What an approval to unmask is bound to."""
    names = list(reversed_columns(made))
    if rows.shape.paths is None:
        count, digest = tokens(rows.batch, names)
    else:
        records = rows.batch.column(0).to_pylist()
        count, digest = json_values(records, names), records_digest(records)
    return {"columns": names, "count": count, "tokens_sha256": digest}


def chunks_context(made: masker.MaskPlan, start: UnmaskStreamStart) -> dict[str, Any]:
    """The same of an unmasking in chunks. Raises `MaskPlanRefused` where the policy has other columns or domains."""
    if list(reversed_columns(made).items()) != list(zip(start.columns, start.domains, strict=True)):
        raise MaskPlanRefused("the start has other columns or domains than the policy; GetMaskPlan names them")
    return token_tree.context(start)


def documents_values(array: Array, paths: Sequence[str]) -> int:
    """How many values stand at these paths of a column of JSON; each entry of a dictionary is parsed once."""
    if (entries := tree.dictionary_of(array)) is not None:
        dictionary, indices = entries
        often = np.bincount(indices[buffers.flags(array)], minlength=len(dictionary)).tolist()
        return sum(
            times * json_values([text], paths)
            for times, text in zip(often, python_values(dictionary), strict=True)
            if times
        )
    if expanded_bytes(array, is_slice=True) > _MAX_JSON_BYTES + len(array):
        raise ValueRefused(f"a column holds more than {_MAX_JSON_BYTES >> 20} MiB of JSON; send smaller batches")
    return json_values(python_values(array), paths)


def length(batch: Batch, names: Sequence[str]) -> int:
    """How many values, without nulls, stand at these paths."""
    tops = {render((field.name,)): index for index, field in enumerate(batch.schema)}
    return sum(_length(batch.column(tops[name])) if name in tops else _below_length(batch, name) for name in names)


def _length(column: Any) -> int:
    return len(column) - int(column.null_count)


def _below_length(batch: Batch, name: str) -> int:
    array = at_path(batch, name)
    return 0 if array is None else present(array)
