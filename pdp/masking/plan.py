"""What the service asks of `masker`: plans, maskers, counts. Its errors become ours, and no content leaves in any."""

import json
import logging
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import masker
from masker import methods
from masker.path import Path, parse
from masker.records import COLUMN
from masker.spec import KEEP, Spec
from pdp.arrow import table
from pdp.arrow.table import Batch, Schema
from pdp.errors import InvalidRequest, KeyRefused, MaskPlanRefused, PdpError, ValueRefused
from pdp.masking import count as counting
from pdp.masking.question import Column, Selection
from pdp.v1.mask_pb2 import JsonRecords, MaskData, MaskedColumn, MaskPlan, MaskShape

log = logging.getLogger(__name__)

PLAN_SECONDS = 3600.0
"""How long a plan that was handed out may be used."""
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """What is masked: a table, or JSON records as a table of one column with these leaf paths."""

    schema: Schema
    paths: tuple[str, ...] | None = None

    @classmethod
    def of(cls, message: MaskShape) -> "Shape":
        """The shape that a stream or a plan is for."""
        match message.WhichOneof("shape"):
            case "arrow_schema":
                return cls(table.schema(message.arrow_schema, "shape.arrow_schema"))
            case "record_paths":
                return cls(masker.record_table([]).schema, _checked_paths(message.record_paths.paths))
        raise InvalidRequest.field("shape", "is required: arrow_schema or record_paths")

    @property
    def columns(self) -> list[Column]:
        """What the policy is asked about."""
        return table.columns(self.schema) if self.paths is None else table.record_columns(self.paths)


@dataclass(frozen=True, slots=True)
class Rows:
    """Inline data."""

    shape: Shape
    batch: Batch

    @classmethod
    def of(cls, data: MaskData) -> "Rows":
        """Parse; raises `InvalidRequest` or, naming the record, `ValueRefused`."""
        match data.WhichOneof("data"):
            case "arrow_stream":
                schema, batch = table.read(data.arrow_stream, "data.arrow_stream")
                return cls(Shape(schema), batch)
            case "records":
                return cls._of_records(data.records.records)
        raise InvalidRequest.field("data", "is required: arrow_stream or records")

    @classmethod
    def _of_records(cls, records: Sequence[str]) -> "Rows":
        with refusals():
            paths = tuple(masker.leaf_paths(records))
            whole = masker.record_table(records)
        batches = whole.combine_chunks().to_batches()
        batch = batches[0] if batches else masker.record_table([""]).to_batches()[0].slice(0, 0)
        return cls(Shape(whole.schema, paths), batch)

    def message(self, made: Batch, plan: masker.MaskPlan) -> MaskData:
        """What was made of the data, in its form."""
        if self.shape.paths is None:
            return MaskData(arrow_stream=table.written(made, plan.output_schema))
        return MaskData(records=JsonRecords(records=made.column(0).to_pylist()))


def plan(
    shape: Shape,
    selected: Selection,
    keys: masker.Keyring,
    *,
    direction: str,
    table_name: str,
    subject: str,
    masked_version: int = 0,
    only: Sequence[str] = (),
) -> masker.MaskPlan:
    """Compile the policy's masks for this shape; `only` leaves all but these columns alone.

    Raises `MaskPlanRefused` and `KeyRefused`.
    """
    masks = [dict(mask) for mask in selected.masks if not only or mask["column"] in only]
    if missing := sorted(set(only) - {mask["column"] for mask in masks}):
        raise MaskPlanRefused(f"the policy has no mask for column {_cut(missing[0])}", column=_cut(missing[0]))
    options: dict[str, Any] = {
        "key_version": keys.active,
        "masked_version": masked_version,
        "table": table_name,
        "subject": subject,
        "policy_revision": selected.revision,
        "expires_at": time.time() + PLAN_SECONDS,
        "direction": direction,
    }
    with refusals():
        if shape.paths is not None:
            return masker.plan_records(masks, dict(selected.domains), **options)
        return masker.plan(shape.schema, masks, selected.domains, **options)


def plan_message(made: masker.MaskPlan) -> MaskPlan:
    """A plan as clients see it."""
    message = MaskPlan(
        table=made.table,
        subject=made.subject,
        policy_revision=made.policy_revision,
        key_version=made.key_version if any(column.key_version for column in _columns(made)) else 0,
        columns=list(_columns(made)),
        output_schema=table.schema_bytes(made.output_schema),
    )
    if made.expires_at is not None:
        message.expires_at.FromMilliseconds(int(made.expires_at * 1000))
    return message


def plan_facts(made: masker.MaskPlan) -> list[dict[str, Any]]:
    """A plan as the log keeps it: what was done to which column by which rule."""
    return [
        {"column": each.column, "rule": each.rule, "mask": each.mask, "domain": each.domain, "key": each.key_version}
        for each in _columns(made)
    ]


def rules(made: masker.MaskPlan) -> list[str]:
    """The ids of all rules of a plan."""
    return sorted({rule for each in _columns(made) for rule in each.rule.split(", ") if rule})


def used_domains(made: masker.MaskPlan) -> dict[str, Any]:
    """The declarations of the domains that a plan uses."""
    pending, names = [leaf.spec for leaf in made.leaves], set()
    while pending:
        spec = pending.pop()
        names.add(spec.domain)
        pending += [child for _, _, child in spec.children]
    declared = json.loads(made.source)["domains"]
    return {name: declared[name] for name in sorted(names) if name}


def reversed_columns(made: masker.MaskPlan) -> list[str]:
    """The columns that a plan to unmask reverses."""
    return [column for column, spec in _specs(made) if methods.of(spec).reversible]


def run(ready: masker.Masker, batch: Batch, first_row: int = 0) -> Batch:
    """Mask, unmask or rewrap one batch. Raises `ValueRefused` and `KeyRefused`."""
    with refusals():
        return ready.batch(batch, first_row=first_row)


def masker_of(made: masker.MaskPlan, keys: masker.Keyring) -> masker.Masker:
    """A plan ready to run."""
    with refusals():
        return masker.Masker(made, keys)


def counted_values(made: masker.MaskPlan, batch: Batch) -> int:
    """The values in a batch that count against the quota: those that are turned into tokens and the like, or back."""
    names = [column for column, spec in _specs(made) if methods.counts(spec, made.direction)]
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        return json_values(batch.column(0).to_pylist(), names)
    plain = {leaf.column: leaf for leaf in made.leaves}
    count = counting.length(batch, [name for name in names if name in plain and plain[name].spec.mask != "json"])
    for leaf in made.leaves:
        if leaf.spec.mask == "json":
            below = [path for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)]
            count += json_values(counting.values(batch, leaf.column), below)
    return count


def json_values(documents: Iterable[str | None], paths: Sequence[str]) -> int:
    """How many values stand at these paths; what is no JSON is refused elsewhere and counts nothing."""
    steps = [parse(path) or () for path in paths]
    return sum(_count(_loaded(document), each) for document in documents if document for each in steps)


def unmask_context(made: masker.MaskPlan, rows: Rows) -> dict[str, Any]:
    """What an approval to unmask is bound to."""
    names = reversed_columns(made)
    if rows.shape.paths is None:
        count, digest = counting.tokens(rows.batch, names)
    else:
        records = rows.batch.column(0).to_pylist()
        count, digest = json_values(records, names), counting.records_digest(records)
    return {"columns": names, "count": count, "tokens_sha256": digest}


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the masker's errors into ours. What it did not mean to raise is logged without its text, which may quote."""
    failure: PdpError
    try:
        yield
    except PdpError:
        raise
    except masker.PlanRefused as error:
        failure = MaskPlanRefused(_sentence(error))
        failure.metadata |= _place(error)
    except masker.ValueRefused as error:
        failure = ValueRefused(_sentence(error))
        failure.metadata |= _place(error)
    except masker.KeyRefused as error:
        failure = KeyRefused(_sentence(error))
    except Exception as error:  # noqa: BLE001  # its text may quote a value
        frames = " < ".join(
            f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__))
        )
        log.error("masking failed with %s at %s", type(error).__name__, frames)  # noqa: TRY400
        failure = PdpError("masking failed by an error of the server's own; its log says where")
    else:
        return
    raise failure


def _sentence(error: masker.MaskError) -> str:
    return _cut(str(error))


def _place(error: masker.PlanRefused | masker.ValueRefused) -> dict[str, str]:
    row = getattr(error, "row", None)
    place = {"column": error.column, "rule": error.rule, "row": "" if row is None else str(row)}
    return {name: _cut(value) for name, value in place.items() if value}


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _checked_paths(paths: Sequence[str]) -> tuple[str, ...]:
    for index, path in enumerate(paths):
        if parse(path) is None:
            raise InvalidRequest.field(
                f"shape.record_paths.paths[{index}]", 'is no leaf path; write a.b, a[] or ["odd.key"]'
            )
    return tuple(paths)


def _columns(made: masker.MaskPlan) -> Iterator[MaskedColumn]:
    for leaf in made.leaves:
        if leaf.spec.mask == "json" and leaf.column == COLUMN:
            for path, rule, spec in leaf.spec.children:
                version = made.key_version if spec.domain and made.direction != "unmask" else 0
                yield MaskedColumn(column=path, rule=rule, mask=spec.mask, domain=spec.domain, key_version=version)
        else:
            yield MaskedColumn(
                column=leaf.column,
                rule=leaf.rule,
                mask=KEEP.mask if leaf.spec == KEEP else leaf.spec.mask,
                domain=leaf.spec.domain,
                key_version=leaf.key_version,
                input_type=str(leaf.input),
                output_type=str(leaf.output),
            )


def _specs(made: masker.MaskPlan) -> Iterator[tuple[str, Spec]]:
    """Every column with its mask; of JSON records every path."""
    for leaf in made.leaves:
        if leaf.spec.mask == "json" and leaf.column == COLUMN:
            yield from ((path, spec) for path, _, spec in leaf.spec.children)
        else:
            yield leaf.column, leaf.spec


def _loaded(document: str) -> Any:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None


def _count(value: Any, steps: Path) -> int:
    """The leaves at a path of one document; null is none."""
    if not steps:
        return 0 if value is None or isinstance(value, list | Mapping) else 1
    if steps[0] is None:
        return sum(_count(item, steps[1:]) for item in value) if isinstance(value, list) else 0
    return _count(value.get(steps[0]), steps[1:]) if isinstance(value, dict) else 0
