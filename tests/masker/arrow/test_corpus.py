"""Odd files: each comes out equal, or is refused in one sentence. Never a traceback, never fewer rows."""

import json
import re
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import masker
from masker import file
from masker.arrow.formats import Layout
from masker.arrow.schema import NESTED, kind, walk
from masker.arrow.sources import source
from masker.errors import FileRefused, MaskError
from masker.path import render
from tests.masker.arrow import odd_files

BYTES = [
    *odd_files.texts(),
    *odd_files.broken_texts(),
    *odd_files.records(),
    *odd_files.broken_parquet(),
]
TOOLS = list(odd_files.with_tools())
TARGETS = ("parquet", "arrow", "arrows", "csv")


def read(path, layout=Layout()):  # noqa: B008  # it is frozen
    with source(str(path), layout=layout) as opened:
        found = pa.Table.from_batches(list(opened.batches()), opened.schema)
    if opened.is_records:
        return [json.loads(row) for row in found["record"].to_pylist()]
    return found.to_pylist()


def copied(path, target, layout=Layout()):  # noqa: B008  # it is frozen
    """Stream a file through masks that change nothing."""
    with source(str(path), layout=layout) as opened:
        if opened.is_records:
            paths, records = file.record_paths(opened)
            plan = masker.plan_records([{"column": each, "rule": "r", "mask": "clear"} for each in paths or ["a"]])
            return file.run(records, str(target), plan, None, layout)
        rules = [{"column": each, "rule": "r", "mask": "clear"} for each in leaves(opened.schema)]
        plan = masker.plan(opened.schema, rules)
        return file.run(opened, str(target), plan, None, layout)


def leaves(schema):
    """The paths of what a mask is for."""
    return [render(path) for path, field in walk(schema) if kind(field.type) not in NESTED]


@pytest.mark.parametrize("case", BYTES, ids=lambda case: case[0])
def test_odd_text_is_equal_or_refused_in_a_sentence(tmp_path, case):
    name, body, wanted, options = case
    (tmp_path / name).write_bytes(body)
    layout = Layout(**options)
    target = tmp_path / f"out{''.join(Path(name).suffixes[-2:] if name.endswith('.gz') else Path(name).suffixes[-1:])}"
    if isinstance(wanted, str):
        with pytest.raises(FileRefused if "json" not in name else MaskError) as caught:
            copied(tmp_path / name, target, layout)
        assert wanted.lower() in str(caught.value).lower()
        assert re.fullmatch(r"[^\n]{10,300}", str(caught.value))
        assert caught.value.__context__ is None
        assert [path.name for path in tmp_path.iterdir()] == [name]
    else:
        assert copied(tmp_path / name, target, layout) == len(wanted)
        assert read(target, Layout(delimiter=layout.delimiter)) == wanted


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "write"), TOOLS, ids=[name for name, _ in TOOLS])
def test_parquet_of_other_programs_is_equal(tmp_path, name, write, target):
    write(tmp_path / name)
    wanted = parquet.read_table(tmp_path / name, coerce_int96_timestamp_unit="us").to_pylist()
    if target == "csv" and "deep" in name:
        with pytest.raises(FileRefused, match="column s: CSV cannot hold"):
            copied(tmp_path / name, tmp_path / "out.csv")
        return
    assert copied(tmp_path / name, tmp_path / f"out.{target}") == len(wanted)
    found = read(tmp_path / f"out.{target}")
    assert found == (wanted if target != "csv" else [{"t": each and spelled(each)} for each in column(wanted)])


def column(rows):
    return [row["t"] for row in rows]


def spelled(instant):
    return f"{instant:%Y-%m-%d %H:%M:%S}.{instant.microsecond:06}"


COLUMNS = dict(odd_files.columns())
IN_CSV = COLUMNS.keys() - {"binary", "list", "struct", "map"}


@pytest.mark.parametrize(("name", "target"), [(name, each) for name in COLUMNS for each in TARGETS if each != "csv"])
def test_a_column_of_each_type_is_equal(tmp_path, name, target):
    parquet.write_table(pa.table({"c": COLUMNS[name]}), tmp_path / "in.parquet")
    assert copied(tmp_path / "in.parquet", tmp_path / f"out.{target}") == len(COLUMNS[name])
    assert read(tmp_path / f"out.{target}") == read(tmp_path / "in.parquet")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_each_type_is_text_or_refused_in_csv(tmp_path, name):
    parquet.write_table(pa.table({"c": COLUMNS[name]}), tmp_path / "in.parquet")
    if name in IN_CSV:
        assert copied(tmp_path / "in.parquet", tmp_path / "out.csv") == len(COLUMNS[name])
        assert [row["c"] is None for row in read(tmp_path / "out.csv")] == [not each.is_valid for each in COLUMNS[name]]
    else:
        with pytest.raises(FileRefused, match=r"out\.csv: column c: CSV cannot hold"):
            copied(tmp_path / "in.parquet", tmp_path / "out.csv")
        assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_what_duckdb_writes_is_equal(tmp_path):
    for name, options in (
        ("a.csv", "header"),
        ("b.csv", "header, delimiter ';', quote '''', escape ''''"),
        ("c.csv.gz", "header, compression gzip"),
        ("d.parquet", "format parquet, compression lz4_raw"),
        ("e.json", "array true"),
        ("f.jsonl", "format json"),
    ):
        query = "select i::varchar as id, 'x' || chr(39) || i || '; ü' as t from range(70000) r(i)"
        duckdb.sql(f"copy ({query}) to '{tmp_path / name}' ({options})")
        layout = Layout(";", quote="'") if name == "b.csv" else Layout()
        assert copied(tmp_path / name, tmp_path / f"out-{name}", layout) == 70_000
        assert (
            read(tmp_path / f"out-{name}", Layout(layout.delimiter)) == duckdb.sql(query).to_arrow_table().to_pylist()
        )


def test_what_polars_writes_is_equal_and_what_we_write_other_tools_read(tmp_path):
    made = pl.DataFrame({"id": ["1", "007", "", None], "t": ['a"b', "c,d", " e", "line\nbreak"]})
    made.write_csv(tmp_path / "a.csv")
    made.write_parquet(tmp_path / "b.parquet", compression="brotli")
    made.write_ipc(tmp_path / "c.arrow")
    for name in ("a.csv", "b.parquet", "c.arrow"):
        assert copied(tmp_path / name, tmp_path / f"out-{name}") == 4
        assert read(tmp_path / f"out-{name}") == made.to_dicts()
    again = pl.read_csv(tmp_path / "out-a.csv", infer_schema=False)
    assert again["t"].to_list() == made["t"].to_list()


def test_lz4_of_hadoop_is_read_and_written_otherwise_with_a_note(tmp_path):
    odd_files.hadoop_lz4(tmp_path / "in.parquet")
    with source(str(tmp_path / "in.parquet")) as opened:
        assert "zstd" in opened.note
    assert copied(tmp_path / "in.parquet", tmp_path / "out.parquet") == 200
    assert read(tmp_path / "out.parquet") == read(tmp_path / "in.parquet")


@pytest.mark.parametrize("target", ["arrow", "arrows"])
def test_a_table_of_no_columns_keeps_its_rows(tmp_path, target):
    empty = pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), 7, [None]))
    with pa.ipc.new_stream(tmp_path / "in.arrows", empty.schema) as writer:
        writer.write_batch(empty)
    assert copied(tmp_path / "in.arrows", tmp_path / f"out.{target}") == 7
    with source(str(tmp_path / f"out.{target}")) as opened:
        assert sum(batch.num_rows for batch in opened.batches()) == 7
    with pytest.raises(FileRefused, match="parquet cannot keep the rows of a table without columns"):
        copied(tmp_path / "in.arrows", tmp_path / "out.parquet")


def test_numbers_are_not_quoted_and_what_must_be_is(tmp_path):
    (tmp_path / "in.csv").write_text('a,"b"\n"42","x"\n1.5,""\n,"y z"\n')
    copied(tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == 'a,b\n42,x\n1.5,""\n,y z\n'


def test_the_corpus_is_large():
    assert len(BYTES) + len(TOOLS) + len(COLUMNS) >= 100
