"""A DataFrame's columns in Arrow, and the masked ones in Spark's types again."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from masker.arrow.spark_schema import spark_schema
from masker.errors import MaskRefused, PlanRefused
from masker.spark import numbered, schema_of
from pdp.arrow.table import Batch, Schema


def arrow_schema(frame: Any, table: str) -> Schema:
    """The Arrow schema of a DataFrame. Raises `MaskRefused` for a type that Spark does not pass on."""
    refused: MaskRefused | None = None
    try:
        return schema_of(frame.schema.json())
    except PlanRefused as error:
        refused = MaskRefused.of(error, table=table, part=None)
    raise refused


def through(frame: Any, parts: Any, output: Schema) -> Any:
    """The DataFrame that these parts make of it, with the columns of `output`."""
    from pyspark.sql.types import StructType

    made = StructType.fromJson(spark_schema(output, json.loads(frame.schema.json())))
    return numbered(frame).mapInArrow(parts, made)


def named(batches: Iterable[Batch], schema: Schema) -> Iterator[Batch]:
    """Batches with names and types of the job, as Spark numbers the columns; those without a row are left out."""
    for batch in batches:
        if batch.num_rows:
            one = batch.rename_columns(schema.names)
            yield one if one.schema.equals(schema) else one.cast(schema)
