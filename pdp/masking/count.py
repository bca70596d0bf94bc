"""The values in a batch: counted for the quota, bound to an approval that fits these very tokens."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import masker
from masker import methods
from masker.arrow import tree
from masker.arrow.expansion import expanded_bytes
from masker.path import render
from masker.records import COLUMN
from pdp.arrow import token_tree
from pdp.arrow.documents import MAX_JSON_BYTES, TOO_MUCH, named_paths, texts
from pdp.arrow.table import Batch
from pdp.arrow.tokens import at_path, columns_digest, json_values, present, python_values, records_digest
from pdp.errors import MaskPlanRefused, ValueRefused
from pdp.masking.plan import reversed_columns, specs
from pdp.masking.refusals import shortened
from pdp.masking.rows import Rows
from pdp.v1.mask_pb2 import UnmaskStreamStart

Array: TypeAlias = Any


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
    for column, paths in _documents(made).items():
        array = at_path(batch, column)
        total += 0 if array is None else documents_values(array, paths)
    return total


def unmask_context(made: masker.MaskPlan, rows: Rows) -> dict[str, Any]:
    """What an approval to unmask is bound to."""
    names = list(reversed_columns(made))
    if rows.shape.paths is None:
        count, digest = _reversed(made, rows.batch), columns_digest(rows.batch, names)
    else:
        records = rows.batch.column(0).to_pylist()
        count, digest = json_values(records, names), records_digest(records)
    return {"columns": names, "count": count, "tokens_sha256": digest}


def chunks_context(made: masker.MaskPlan, start: UnmaskStreamStart) -> dict[str, Any]:
    """The same of an unmasking in chunks.

    Raises `MaskPlanRefused` where the policy has other columns or domains, or reverses what the entries do not count.
    """
    if list(reversed_columns(made).items()) != list(zip(start.columns, start.domains, strict=True)):
        raise MaskPlanRefused("the start has other columns or domains than the policy; GetMaskPlan names them")
    _require_counted(made)
    return token_tree.context(start)


def documents_values(array: Array, paths: Sequence[str]) -> int:
    """How many values stand at these paths of a column of JSON; each entry of a dictionary is parsed once."""
    if tree.dictionary_of(array) is not None:
        return sum(times * json_values([text], paths) for text, times in texts(array))
    if expanded_bytes(array, is_slice=True) > MAX_JSON_BYTES + len(array):
        raise ValueRefused(TOO_MUCH)
    return json_values(python_values(array), paths)


def length(batch: Batch, names: Sequence[str]) -> int:
    """How many values, without nulls, stand at these paths."""
    tops = {render((field.name,)): index for index, field in enumerate(batch.schema)}
    return sum(_length(batch.column(tops[name])) if name in tops else _below_length(batch, name) for name in names)


def _documents(made: masker.MaskPlan) -> dict[str, list[str]]:
    """The columns of JSON text, with the paths in them whose values count."""
    return {
        leaf.column: [path for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)]
        for leaf in made.leaves
        if leaf.spec.mask == "json"
    }


def _reversed(made: masker.MaskPlan, batch: Batch) -> int:
    """The values of a table that are reversed."""
    documents = _documents(made)
    arrays = {name: array for name in reversed_columns(made) if (array := at_path(batch, name)) is not None}
    return sum(
        documents_values(array, documents[name]) if name in documents else present(array)
        for name, array in arrays.items()
    )


def _require_counted(made: masker.MaskPlan) -> None:
    """Raise `MaskPlanRefused` where metadata names fewer paths of JSON than are reversed: the entries count by it."""
    documents = _documents(made)
    for column in reversed_columns(made):
        named = named_paths(made.input_schema, column)
        if named is not None and not (column in documents and named.issuperset(documents[column])):
            raise MaskPlanRefused(
                f"column {shortened(column)}: the policy reverses more than its metadata `placet.paths` names, so its "
                "values cannot be counted before; send it without this metadata, and each value in its JSON counts",
                column=shortened(column),
            )


def _length(column: Any) -> int:
    return len(column) - int(column.null_count)


def _below_length(batch: Batch, name: str) -> int:
    array = at_path(batch, name)
    return 0 if array is None else present(array)
