import json
import os
import random
import tracemalloc

import pyarrow as pa
import pytest
from pyarrow import parquet

from masker.arrow import sources
from masker.arrow.formats import PIPE, Layout
from masker.arrow.sources import source
from masker.errors import FileRefused


def whole(path, form="", **options):
    with source(str(path), form, **options) as opened:
        return pa.Table.from_batches(list(opened.batches()), opened.schema)


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
def test_parquet_tells_its_rows_and_codec_and_comes_in_batches(tmp_path, codec):
    rows = sources.BATCH_ROWS + 1
    parquet.write_table(pa.table({"a": range(rows)}), tmp_path / "x.parquet", compression=codec)
    with source(str(tmp_path / "x.parquet")) as opened:
        assert (opened.form, opened.rows, opened.codec) == ("parquet", rows, codec)
        assert [batch.num_rows for batch in opened.batches()] == [sources.BATCH_ROWS, 1]


def test_the_form_is_told_by_the_name_or_by_the_caller(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n")
    (tmp_path / "x.dat").write_text("a\n1\n")
    assert whole(tmp_path / "x.csv").to_pylist() == whole(tmp_path / "x.dat", "csv").to_pylist() == [{"a": "1"}]
    with pytest.raises(FileRefused, match=r"the name must end in one of \.parquet"):
        source(str(tmp_path / "x.dat"))


def test_a_header_may_have_a_mark_blanks_and_line_breaks(tmp_path):
    (tmp_path / "x.csv").write_bytes('\ufeff a ,"b\nc",d\n1,2,3\n'.encode())
    assert whole(tmp_path / "x.csv").to_pylist() == [{" a ": "1", "b\nc": "2", "d": "3"}]
    assert whole(tmp_path / "x.csv", layout=Layout(trim=True)).column_names == ["a", "b\nc", "d"]


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_an_arrow_file_may_be_a_stream(tmp_path, new):
    table = pa.table({"a": ["x", None]})
    with new(tmp_path / "x.arrow", table.schema) as writer:
        writer.write_table(table)
    assert whole(tmp_path / "x.arrow").equals(table)


def test_json_lines_are_one_column_of_records_with_all_around_them(tmp_path):
    (tmp_path / "x.ndjson").write_text('{"a":1}\n\n  {"a":2} \n')
    assert whole(tmp_path / "x.ndjson")["record"].to_pylist() == ['{"a":1}\n', '\n  {"a":2} \n']


def test_the_file_beside_gives_the_metadata(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "x.csv.placet.json").write_text(json.dumps({"format": 1, "columns": {"a": {"mask": "token"}}}))
    schema = whole(tmp_path / "x.csv").schema
    assert schema.field("a").metadata == {b"placet.mask": b"token"}
    assert schema.field("b").metadata is None


@pytest.mark.parametrize("made", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
def test_what_stands_beside_and_never_ends_is_refused_by_its_name(tmp_path, made):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    made(tmp_path / "x.csv.placet.json")
    with pytest.raises(FileRefused, match=r"x\.csv\.placet\.json: it is not whole"):
        source(str(tmp_path / "x.csv"))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_format_that_is_read_from_its_end_cannot_come_through_a_pipe(form):
    with pytest.raises(FileRefused, match="pipe"):
        source("-", form)


@pytest.mark.parametrize("name", ["x.arrow", "x.arrows"])
def test_what_is_no_valid_arrow_is_refused_before_anybody_looks_into_it(tmp_path, name):
    array = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\2\0\0\0\1\0\0\0\3\0\0\0"), pa.py_buffer(b"abc")]
    )
    batch = pa.record_batch({"a": array})
    new = pa.ipc.new_file if name.endswith(".arrow") else pa.ipc.new_stream
    with new(tmp_path / name, batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(FileRefused, match="invalid Arrow data"):
        whole(tmp_path / name)


def test_content_beside_the_name_is_read_as_often_as_wanted_and_stays_open(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    with (tmp_path / "a.csv").open("rb") as content:
        content.read()
        for _ in range(2):
            with source(PIPE, "csv", content=content) as opened:
                assert [row for batch in opened.batches() for row in batch.to_pylist()] == [{"a": "1"}, {"a": "2"}]
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with (tmp_path / "a.parquet").open("rb") as content, source(PIPE, "parquet", content=content) as opened:
        assert opened.rows == 1


def test_of_parquet_only_what_is_read_is_in_memory(tmp_path):
    group = [random.Random(1).randbytes(1000).hex() for _ in range(1000)]
    schema = pa.schema([("a", pa.string())])
    with parquet.ParquetWriter(tmp_path / "a.parquet", schema, compression="none", use_dictionary=False) as writer:
        for _ in range(20):
            writer.write_batch(pa.record_batch([group], schema=schema))
    size = (tmp_path / "a.parquet").stat().st_size
    tracemalloc.start()
    with source(str(tmp_path / "a.parquet")) as opened:
        assert sum(batch.num_rows for batch in opened.batches()) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 4
