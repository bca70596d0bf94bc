"""Every type of Spark SQL through executors: equal after `clear`, masked where a mask fits, or refused by the plan."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest

import masker
from masker import keys as keyfile
from masker import spark as bare

PASSING = {
    "byte": "cast(id - 2 as tinyint)",
    "short": "cast(id as smallint)",
    "int": "cast(id as int)",
    "long": "id * 9007199254740993",
    "float": "cast('NaN' as float)",
    "double": "id / 3",
    "small": "cast(id as decimal(1, 0))",
    "large": "cast('-99999999999999999999999999999999999999' as decimal(38, 0)) + id",
    "fine": "cast(id / 7 as decimal(38, 38))",
    "flag": "id % 2 = 0",
    "text": "concat('ä', id)",
    "bytes": "cast(concat('x', id) as binary)",
    "day": "date'1500-02-28' + cast(id as int)",
    "moment": "timestamp'2024-03-31 02:30:00 Europe/Berlin' + make_dt_interval(id)",
    "before": "timestamp'1500-01-01 00:00:00.000001 UTC'",
    "local": "timestamp_ntz'2024-03-31 02:30:00'",
    "interval": "make_dt_interval(id, 1, 2, 3.000004)",
    "hours": "interval '5' hour",
    "nothing": "null",
    "list": "array(id, null)",
    "empty": "array()",
    "moments": "array(timestamp'2024-01-01 00:00:00 UTC')",
    "mapped": "map(concat('k', id), timestamp'2024-01-01 00:00:00 UTC')",
    "pair": "named_struct('a', id, 'b', array(named_struct('c', timestamp'2024-01-01 00:00:00 UTC', 'd', null)))",
    "deep": "map(id, map('k', array(cast(id as decimal(38, 2)))))",
    "maybe": "if(id = 1, null, named_struct('a', if(id = 2, null, concat('v', id))))",
}
"""Columns by name, each with the SQL that makes it. The frame has four rows in three parts, and an empty part."""
REFUSED = {
    "interval '1-2' year to month": "interval year to month",
    "array(interval '1-2' year to month)": "interval year to month",
    "map()": "a map without keys",
    "make_interval(1)": "a calendar interval",
}
if pyspark.__version__ >= "4":
    REFUSED["named_struct('a', parse_json('{}'))"] = "VARIANT"
ODD_NAMES = ["a.b", "with blank", "größe", "case", "CASE", "ba`ck", 'quo"te', "[]"]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("keys") / "k"
    keyfile.create(path, "test", now=dt.datetime.now(dt.UTC))
    return path


@pytest.fixture(params=["Etc/UTC", "Europe/Berlin", ""])
def zone(spark: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The time zone of the session; without a name, the one that Spark finds."""
    with Setting(spark, "spark.sql.session.timeZone", request.param):
        yield request.param


class Setting:
    """A setting of the session, until the end."""

    def __init__(self, spark: Any, name: str, value: str) -> None:
        self.conf, self.name, self.value, self.before = spark.conf, name, value, spark.conf.get(name, None)

    def __enter__(self) -> None:
        if self.value:
            self.conf.set(self.name, self.value)
        else:
            self.conf.unset(self.name)

    def __exit__(self, *_: object) -> None:
        if self.before is None:
            self.conf.unset(self.name)
        else:
            self.conf.set(self.name, self.before)


def masked(frame: Any, masks: dict[str, dict[str, Any]], key_file: str = "") -> Any:
    """The frame as executors mask it: `masks` by column, each other column clear."""
    from pyspark.sql.types import StructType  # noqa: PLC0415

    given = frame._jdf.schema().json()  # Python's own reader of schemas does not know every type
    schema = bare.schema_of(given)
    rules = [{"column": name, **masks.get(name, {"mask": "clear"})} for name in schema.names]
    domains = {"id": {"mask": "token"}, "shift": {"mask": "date_shift", "days": 30}}
    plan = masker.plan(schema, rules, domains, key_version=1, table="crm.customers")
    output = StructType.fromJson(bare.output_of(plan, given))
    return bare.numbered(frame).mapInArrow(bare.masking(plan.to_json(), key_file), output)


def rows(frame: Any) -> list[str]:
    """What is in a frame, in an order of its own, NaN equal to NaN."""
    return sorted(map(repr, frame.collect()))


def all_types(spark: Any) -> Any:
    columns = [f"{sql} as `{name}`" for name, sql in PASSING.items()]
    return spark.range(0, 4, 1, 3).selectExpr(*columns).repartition(4)


def test_every_type_is_equal_after_clear(spark: Any, zone: str) -> None:
    frame = all_types(spark)
    made = masked(frame, {})
    assert rows(made) == rows(frame)
    assert len(zone) >= 0
    assert [field.dataType.simpleString() for field in made.schema] == [
        field.dataType.simpleString() for field in frame.schema
    ]


def test_wide_offsets_of_text_are_the_same_columns(spark: Any) -> None:
    frame = all_types(spark)
    with Setting(spark, "spark.sql.execution.arrow.useLargeVarTypes", "true"):
        assert rows(masked(frame, {})) == rows(frame)


@pytest.fixture
def corrected(spark: Any) -> Iterator[None]:
    """Without it Spark 3.5 refuses to write days before 1582."""
    rebase = "spark.sql.parquet.datetimeRebaseModeInWrite"
    with Setting(spark, rebase, "CORRECTED"), Setting(spark, rebase.replace("datetime", "int96"), "CORRECTED"):
        yield


@pytest.mark.usefixtures("corrected")
def test_files_of_spark_are_equal_after_clear(spark: Any, tmp_path: Path) -> None:
    kept = [name for name in PASSING if name not in {"nothing", "empty", "pair"}]  # Parquet has no columns of nothing
    all_types(spark).select(*kept).write.parquet(f"{tmp_path}/p")
    frame = spark.read.parquet(f"{tmp_path}/p")
    masked(frame, {}).write.parquet(f"{tmp_path}/q")
    assert rows(spark.read.parquet(f"{tmp_path}/q")) == rows(frame)


def test_text_of_a_declared_length_is_text(spark: Any, tmp_path: Path) -> None:
    spark.sql(f"create table lengths (a char(3), b varchar(3)) using parquet location '{tmp_path}/t'")
    try:
        spark.sql("insert into lengths values ('a', 'b'), (null, '')")
        assert rows(masked(spark.table("lengths"), {})) == rows(spark.table("lengths"))
    finally:
        spark.sql("drop table lengths")


def test_masks_run_on_types_that_they_fit(spark: Any, key_file: Path, zone: str) -> None:
    frame = all_types(spark)
    token, year = {"domain": "id"}, {"mask": "generalize", "to": "year", "zone": "Europe/Berlin"}
    masks = {
        "text": token,
        "long": token,
        "large": token,
        "bytes": token,
        "moment": year,
        "local": year | {},
        "day": year,
    }
    masks["local"] = masks["day"] = {"mask": "generalize", "to": "year"}
    masks["pair"] = masks["list"] = {"mask": "nullify"}
    made = masked(frame, masks, str(key_file)).collect()
    assert len(made) == 4
    assert {type(row["large"]) for row in made} == {str}
    assert {row["local"] for row in made} == {dt.datetime(2024, 1, 1)}  # noqa: DTZ001
    assert {row["text"].split("_")[0] for row in made} == {"tok"}
    in_berlin = dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC).timestamp()
    assert {row["moment"].timestamp() for row in made} == {in_berlin}
    assert len(zone) >= 0


@pytest.mark.parametrize("sql", REFUSED)
def test_a_type_that_does_not_pass_is_refused_when_the_plan_is_made(spark: Any, sql: str) -> None:
    frame = spark.sql(f"select {sql} as c")
    with pytest.raises(masker.PlanRefused, match=f"Spark's type of it is {REFUSED[sql]}, which cannot be masked"):
        masked(frame, {})


def test_odd_names_pass(spark: Any) -> None:
    from pyspark.sql import types  # noqa: PLC0415

    schema = types.StructType([types.StructField(name, types.StringType()) for name in ODD_NAMES])
    frame = spark.createDataFrame([tuple(ODD_NAMES)], schema)
    made = masked(frame, {})
    assert made.columns == ODD_NAMES
    assert [tuple(row) for row in made.collect()] == [tuple(ODD_NAMES)]


def test_columns_that_spark_finds_to_have_no_nulls_are_those_of_the_plan(spark: Any) -> None:
    frame = spark.sql("select if(id = 1, null, id) as a from range(4)")
    full = frame.where("a is not null")  # the optimizer says so of the batches, and the driver's schema does not
    assert rows(masked(full, {})) == rows(full)


@pytest.mark.parametrize("sql", ["select id, 'a' as b from range(0)", "select 1 as a where false"])
def test_an_empty_frame_stays_empty(spark: Any, sql: str) -> None:
    frame = spark.sql(sql)
    assert masked(frame, {}).collect() == []
    assert masked(frame, {}).columns == frame.columns


def test_a_frame_without_columns_is_refused(spark: Any) -> None:
    with pytest.raises(masker.PlanRefused, match="the table has no columns"):
        masked(spark.range(5).select(), {})


def test_the_error_of_an_executor_ends_with_what_and_where(spark: Any) -> None:
    frame = spark.createDataFrame([("2024-01-01",)] * 3 + [("secret",)], "day string").coalesce(1)
    year = {"mask": "generalize", "to": "year", "format": "%Y-%m-%d"}
    with pytest.raises(Exception, match="does not fit") as caught:
        masked(frame, {"day": year}).collect()
    said = str(caught.value)
    line = "MaskRefused: table crm.customers, column day, part 0, row 3: the value does not fit its mask"
    assert [each for each in said.strip().splitlines() if each.strip()][-1].endswith(line), said
    assert "secret" not in said
