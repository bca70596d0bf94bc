"""Spark: a function for `DataFrame.mapInArrow`, where data outgrows a machine.

Every executor reads the key file: a person who can read that file on an executor can unmask.

    given = df.schema.json()
    plan = masker.plan(spark.schema_of(given), masks, domains, key_version=1)
    output = StructType.fromJson(spark.output_of(plan, given))
    spark.numbered(df).mapInArrow(spark.masking(plan.to_json(), "/secrets/keys"), output)

pyspark is the cluster's and is not imported before a part begins.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from masker.arrow import spark_schema
from masker.errors import MaskError, MaskRefused, PlanRefused
from masker.keys import Keyring
from masker.plan import MaskPlan
from masker.run import Masker


def schema_of(frame_schema: str) -> Any:
    """Return the Arrow schema to plan with, of `df.schema.json()`.

    Raises PlanRefused for a type that does not pass, and for a table without columns, of which Spark passes on no rows.
    """
    schema = spark_schema.arrow_schema(json.loads(frame_schema))
    if not len(schema):
        raise PlanRefused("the table has no columns")
    return schema


def numbered(frame: Any) -> Any:
    """Return the frame with its columns named by their places: `mapInArrow` cannot find names with dots or backticks.

    It cannot tell names apart either that differ in case only.
    """
    return frame.toDF(*_places(len(frame.columns)))


def output_of(plan: MaskPlan, frame_schema: str) -> dict[str, Any]:
    """Return the schema of the masked frame, for `StructType.fromJson`; `frame_schema` is that of the plain one."""
    return spark_schema.spark_schema(plan.output_schema, json.loads(frame_schema))


def masking(plan_json: str, key_file: str = "") -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return the function that masks record batches by a plan in JSON. It loads the keys where it runs.

    The columns are found by their names, or by their places in a frame of `numbered`.
    Raises MaskRefused, which names table, column, part and row, and never a value. Rows count from 0 in the part.
    """

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        plan = MaskPlan.from_json(plan_json)
        problem: MaskRefused | None = None
        rows = 0
        try:
            masker = Masker(plan, Keyring.load(key_file) if key_file else None)
            for batch in batches:
                if not rows and batch.num_rows:
                    _prepare(masker)
                yield masker.batch(_named(batch, plan), first_row=rows)
                rows += batch.num_rows
        except MaskError as error:
            problem = MaskRefused.of(error, table=plan.table, part=part())
        if problem:
            raise problem

    return run


def _prepare(masker: Masker) -> None:
    """Compile the kernels of the plan, and keep them for the next Python worker of this executor.

    They are kept in the executor's own folder, which Spark removes with it.
    """
    try:
        from pyspark import SparkFiles  # noqa: PLC0415  # the cluster's
    except ImportError:
        return
    from masker.kept_kernels import keep_kernels  # noqa: PLC0415  # loads numba

    keep_kernels(Path(SparkFiles.getRootDirectory()))
    masker.warm()


def _places(count: int) -> list[str]:
    return [f"column {number}" for number in range(count)]


def _named(batch: Any, plan: MaskPlan) -> Any:
    """The batch with the names of the plan where it has the names of `numbered`."""
    names = plan.input_schema.names
    return batch.rename_columns(names) if batch.schema.names == _places(len(names)) else batch


def part() -> int | None:
    """The number of the part that this executor works on; None outside one."""
    try:
        from pyspark import TaskContext  # noqa: PLC0415  # the cluster's
    except ImportError:
        return None
    context = TaskContext.get()
    return None if context is None else int(context.partitionId())
