"""A DataFrame's columns in Arrow, and the masked ones in Spark's types again.

Columns travel under the names "0", "1" and so on: Spark finds no column by a name with a dot, or by one of two names
that differ in case.
"""

from collections.abc import Iterator
from typing import Any

from pdp.arrow.table import Schema
from pdp.spark.refused import MaskRefused

_LARGE = "spark.sql.execution.arrow.useLargeVarTypes"
_NOT_TAKEN = {"CalendarIntervalType", "VariantType", "YearMonthIntervalType"}
"""Spark's types for which Arrow, or a mask of it, has no like."""


def arrow_schema(frame: Any, table: str) -> Schema:
    """The Arrow schema of the batches that Spark gives for a DataFrame. Raises `MaskRefused` for a type without one."""
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import to_arrow_schema

    for name, kind in _kinds(frame.schema):
        if type(kind).__name__ in _NOT_TAKEN or hasattr(kind, "sqlType"):
            raise MaskRefused.at(
                table, f"Spark's type {kind.simpleString()} is not masked; cast the column before", column=name
            )
    is_large = str(frame.sparkSession.conf.get(_LARGE, "false")).lower() == "true"
    refused: MaskRefused | None = None
    try:
        return to_arrow_schema(frame.schema, **({"prefers_large_types": True} if is_large else {}))
    except (PySparkException, TypeError, ValueError) as error:
        refused = MaskRefused.at(table, f"the table has a column that Arrow cannot hold: {type(error).__name__}")
    raise refused


def spark_schema(frame: Any, before: Schema, after: Schema) -> Any:
    """The masked table in Spark's types. A column whose Arrow type stays keeps its own."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    fields = []
    for own, was, made in zip(frame.schema, before, after, strict=True):
        kind = own.dataType if was.type == made.type else from_arrow_type(made.type, prefer_timestamp_ntz=True)
        fields.append(StructField(own.name, kind, nullable=True))
    return StructType(fields)


def numbered(frame: Any) -> Any:
    """The DataFrame with its columns under numbers."""
    return frame.toDF(*map(str, range(len(frame.columns))))


def named(batches: Any, names: list[str]) -> Iterator[Any]:
    """Batches with their columns under these names; those without a row are left out."""
    for batch in batches:
        if batch.num_rows:
            yield batch.rename_columns(names)


def _kinds(struct: Any, top: str = "") -> Iterator[tuple[str, Any]]:
    """Each type in a table, with the column that it is in."""
    for each in struct.fields:
        pending = [each.dataType]
        while pending:
            kind = pending.pop()
            yield top or each.name, kind
            inner = [getattr(kind, name, None) for name in ("elementType", "keyType", "valueType")]
            pending += [one for one in inner if one is not None]
            pending += [one.dataType for one in getattr(kind, "fields", ())]
