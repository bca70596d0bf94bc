"""Shapes, rows and plans of masking: the contract's messages -> domain values, and back."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import masker
from pdp.arrow import table
from pdp.arrow.table import Batch
from pdp.errors import InvalidRequest
from pdp.masking.plan import columns
from pdp.masking.rows import Rows, Shape
from pdp.v1.mask_pb2 import JsonRecords, MaskData, MaskPlan, MaskShape


@dataclass(frozen=True, slots=True)
class Inline:
    """Inline data: `rows` parses and validates the content once, and raises `InvalidRequest`."""

    shape: Shape
    rows: Callable[[], Rows]


def shape(message: MaskShape) -> Shape:
    """The shape that a stream or a plan is for."""
    match message.WhichOneof("shape"):
        case "arrow_schema":
            return Shape(table.schema(message.arrow_schema, "shape.arrow_schema")).within("shape.arrow_schema")
        case "record_paths":
            paths = message.record_paths.paths
            return Shape.of_records(paths, "shape.record_paths.paths").within("shape.record_paths.paths")
    raise InvalidRequest.field("shape", "is required: arrow_schema or record_paths")


def inline(data: MaskData) -> Inline:
    """Inline data with its shape read; raises `InvalidRequest` or, naming the record, `ValueRefused`.

    Of a table only the schema is read. JSON records are parsed, as their paths are what the policy is asked about.
    """
    match data.WhichOneof("data"):
        case "arrow_stream":
            path = "data.arrow_stream"
            shape = Shape(table.schema_of(data.arrow_stream, path)).within(path)
            return Inline(shape, cache(lambda: Rows(shape, table.read(data.arrow_stream, path)[1])))
        case "records":
            rows = Rows.of_records(data.records.records)
            return Inline(rows.shape.within("data.records"), lambda: rows)
    raise InvalidRequest.field("data", "is required: arrow_stream or records")


def data(shape: Shape, made: Batch, schema: Any) -> MaskData:
    """What was made of inline data of this shape, in its form; `schema` is the plan's for its output."""
    if shape.paths is None:
        return MaskData(arrow_stream=table.written(made, schema))
    return MaskData(records=JsonRecords(records=made.column(0).to_pylist()))


def plan(made: masker.MaskPlan) -> MaskPlan:
    """A plan as clients see it."""
    planned = list(columns(made))
    message = MaskPlan(
        table=made.table,
        subject=made.subject,
        policy_revision=made.policy_revision,
        key_version=made.key_version if any(column.key_version for column in planned) else 0,
        columns=planned,
        output_schema=table.schema_bytes(made.output_schema),
    )
    if made.expires_at is not None:
        message.expires_at.FromMilliseconds(int(made.expires_at * 1000))
    return message
