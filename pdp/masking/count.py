"""The values in a batch: counted for the quota, bound to an approval that fits these very tokens."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

import masker
from masker import methods, records
from masker.arrow import buffers, tree
from masker.arrow.expansion import expanded_bytes
from masker.path import render
from masker.records import COLUMN
from masker.spec import Spec
from pdp.arrow import token_tree
from pdp.arrow.documents import MAX_JSON_BYTES, TOO_MUCH, named_paths
from pdp.arrow.table import Batch
from pdp.arrow.tokens import at_path, columns_digest, json_values, present, records_digest
from pdp.errors import MaskPlanRefused, ValueRefused
from pdp.masking.plan import reversed_columns, sealing, specs
from pdp.masking.refusals import shortened
from pdp.masking.rows import Rows
from pdp.masking.token_domains import planned_domains, unmasked_domains
from pdp.v1.mask_pb2 import UnmaskStreamStart

Array: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Counted:
    """Values that count against the quota, and how many of them by quota: one for each domain, one to unmask.

    `columns` has them by column; of JSON documents by the column that they are in, and of JSON records by path.
    """

    values: int
    quotas: Mapping[str, int]
    columns: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def unmasked(cls, values: int) -> "Counted":
        """To unmask there is one quota for all domains, under a name that no domain has."""
        return cls(values, {"": values} if values else {})


def quotas(made: masker.MaskPlan) -> list[str]:
    """Every quota that the values of this table may count against."""
    masks = [spec for _, spec in specs(made)]
    below = [child for spec in masks if spec.mask == "json" for _, _, child in spec.children]
    counted = [spec for spec in (*masks, *below) if methods.counts(spec, made.direction) and spec.mask != "json"]
    if made.direction == "unmask":
        return [""] if counted else []
    return sorted({name for spec in counted for name in sealing(spec)})


def counted_values(made: masker.MaskPlan, batch: Batch) -> Counted:
    """The values in a batch that count against the quota: those that are turned into tokens and the like, or back."""
    counted = {column: spec for column, spec in specs(made) if methods.counts(spec, made.direction)}
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        return _by_quota(made, [("", counted, documents_counts(batch.column(0), list(counted)))])
    plain = {leaf.column for leaf in made.leaves if leaf.spec.mask != "json"} & counted.keys()
    found = [("", counted, {column: length(batch, [column]) for column in plain})]
    for column, below in _documents(made).items():
        array = at_path(batch, column)
        found += [] if array is None else [(column, below, documents_counts(array, list(below)))]
    return _by_quota(made, found)


def _by_quota(made: masker.MaskPlan, found: Iterable[tuple[str, Mapping[str, Spec], Mapping[str, int]]]) -> Counted:
    """What these columns or paths hold, each with its mask, and the column that they are in where that is another one.

    Parts of one value may be of several domains.
    """
    columns, domains = Counter[str](), Counter[str]()
    for within, specs_of, counted in found:
        for name, times in counted.items():
            if times:
                columns[within or name] += times
                domains.update(dict.fromkeys(sealing(specs_of[name]), times))
    values = columns.total()
    return Counted.unmasked(values) if made.direction == "unmask" else Counted(values, domains, columns)


def counted_columns(made: masker.MaskPlan) -> dict[str, set[str]]:
    """Each column whose values count, as `Counted.columns` names it, with the domains that they count against."""
    found: dict[str, set[str]] = {}
    documents = {} if made.input_schema.names == [COLUMN] else _documents(made)
    for column, spec in specs(made):
        below = documents.get(column)
        if below is None and methods.counts(spec, made.direction):
            found[column] = sealing(spec)
        elif below:
            found[column] = {name for child in below.values() for name in sealing(child)}
    return found


def unmask_context(made: masker.MaskPlan, keys: masker.Keyring, rows: Rows) -> dict[str, Any]:
    """What an approval to unmask is bound to."""
    names = list(reversed_columns(made))
    if rows.shape.paths is None:
        count, digest = _reversed(made, rows.batch), columns_digest(rows.batch, names)
    else:
        records = rows.batch.column(0).to_pylist()
        count, digest = json_values(records, names), records_digest(records)
    domains = unmasked_domains(made, keys, rows.batch)
    return {"columns": names, "domains": domains, "count": count, "tokens_sha256": digest}


def chunks_context(made: masker.MaskPlan, start: UnmaskStreamStart) -> dict[str, Any]:
    """The same of an unmasking in chunks.

    Raises `MaskPlanRefused` where the policy has other columns or domains, or reverses what the entries do not count.
    """
    if list(reversed_columns(made).items()) != list(zip(start.columns, start.domains, strict=True)):
        raise MaskPlanRefused("the start has other columns or domains than the policy; GetMaskPlan names them")
    _require_counted(made)
    return stream_context(made, start)


def stream_context(made: masker.MaskPlan, start: UnmaskStreamStart) -> dict[str, Any]:
    """The same of a start that is not looked at. Its tokens come later, so the domains are those of the plan."""
    return {**token_tree.context(start), "domains": planned_domains(made)}


def documents_counts(array: Array, paths: Sequence[str]) -> Counter[str]:
    """How many values stand at each path of a column of JSON; each entry of a dictionary is read once."""
    entries = tree.dictionary_of(array)
    values, indices = (array, None) if entries is None else entries
    if expanded_bytes(values, is_slice=True) > MAX_JSON_BYTES + len(values):
        raise ValueRefused(TOO_MUCH)
    times = None if indices is None else np.bincount(indices[buffers.flags(array)], minlength=len(values))
    return records.counts(buffers.text(values), paths, times)


def length(batch: Batch, names: Sequence[str]) -> int:
    """How many values, without nulls, stand at these paths."""
    tops = {render((field.name,)): index for index, field in enumerate(batch.schema)}
    return sum(_length(batch.column(tops[name])) if name in tops else _below_length(batch, name) for name in names)


def _documents(made: masker.MaskPlan) -> dict[str, dict[str, Spec]]:
    """The columns of JSON text, with the masks of the paths in them whose values count."""
    return {
        leaf.column: {path: spec for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)}
        for leaf in made.leaves
        if leaf.spec.mask == "json"
    }


def _reversed(made: masker.MaskPlan, batch: Batch) -> int:
    """The values of a table that are reversed."""
    documents = _documents(made)
    arrays = {name: array for name in reversed_columns(made) if (array := at_path(batch, name)) is not None}
    return sum(
        documents_counts(array, list(documents[name])).total() if name in documents else present(array)
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
