import io
import json
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

import masker
from masker import file
from masker.arrow.formats import Layout
from masker.arrow.sinks import Sink
from masker.arrow.sources import source
from masker.errors import FileRefused, ValueRefused
from tests.masker.conftest import ring

DOMAINS = {"id": {"mask": "token"}, "card": {"mask": "fpe", "alphabet": "0123456789"}}
KEYS = ring("active")
CLEAR = [{"column": name, "rule": "r", "mask": "clear"} for name in ("a", "b")]


def rows(path):
    with source(str(path)) as opened:
        return pa.Table.from_batches(list(opened.batches())).to_pylist()


def run(path, target, rules, **options):
    with source(str(path)) as opened:
        return file.run(opened, str(target), masker.plan(opened.schema, rules, DOMAINS, **options), KEYS)


def test_csv_has_text_nulls_and_empties_as_written(tmp_path):
    (tmp_path / "in.csv").write_text('a,"b"\n007,\n"",  x \n"new\nline","q""q"\n1e5,NA\n')
    assert run(tmp_path / "in.csv", tmp_path / "out.csv", CLEAR) == 4
    wanted = [
        {"a": "007", "b": None},
        {"a": "", "b": "  x "},
        {"a": "new\nline", "b": 'q"q'},
        {"a": "1e5", "b": "NA"},
    ]
    assert rows(tmp_path / "in.csv") == wanted == rows(tmp_path / "out.csv")


def test_csv_of_one_column_keeps_its_nulls(tmp_path):
    (tmp_path / "in.csv").write_text('a\nx\n\n""\ny')
    assert run(tmp_path / "in.csv", tmp_path / "out.csv", CLEAR[:1]) == 4
    assert [row["a"] for row in rows(tmp_path / "out.csv")] == ["x", None, "", "y"]


def test_csv_blanks_go_only_when_asked(tmp_path):
    (tmp_path / "in.csv").write_text('a,b\n x ,\ty\n  ,""\n')
    with source(str(tmp_path / "in.csv"), layout=Layout(trim=True)) as trimmed:
        assert next(trimmed.batches()).to_pylist() == [{"a": "x", "b": "y"}, {"a": None, "b": ""}]


@pytest.mark.parametrize("text", ["", "a,a\n1,2\n", "a,\n1,2\n", "a,b\n1,SECRET,3\n", 'a,b\n"SECRET,3\n', "a,b\n1\n"])
def test_broken_csv_is_refused_without_content(tmp_path, text):
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(FileRefused) as caught:
        run(tmp_path / "in.csv", tmp_path / "out.csv", CLEAR)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


@pytest.mark.parametrize("bad", [b"\xff\xfe", b'{"a":"\xff"}\n'])
def test_bytes_that_are_no_text_are_refused(tmp_path, bad):
    for name in ("in.csv", "in.jsonl"):
        (tmp_path / name).write_bytes(b"a,b\n" + bad + b",x\n" if name == "in.csv" else bad)
        with pytest.raises(FileRefused):
            rows(tmp_path / name)


def test_empty_csv_has_a_schema_and_no_rows(tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n")
    assert run(tmp_path / "in.csv", tmp_path / "out.csv", CLEAR) == 0
    assert (tmp_path / "out.csv").read_text() == "a,b\n"


@pytest.mark.parametrize("target", ["out.parquet", "out.arrow", "out.arrows", "out.csv"])
def test_every_format_round_trips_through_mask_and_unmask(tmp_path, target):
    words = ["a", None, "b", "a"] * 30_000
    plain = pa.table({"a": pa.array(words), "b": pa.array(words).dictionary_encode()})
    parquet.write_table(plain, tmp_path / "in.parquet", compression="snappy")
    rules = [{"column": name, "rule": "r", "domain": "id"} for name in ("a", "b")]
    if target.endswith("csv"):
        plain = plain.set_column(1, "b", plain["a"])
        parquet.write_table(plain, tmp_path / "in.parquet")
    assert run(tmp_path / "in.parquet", tmp_path / target, rules, key_version=1) == 120_000
    back = tmp_path / f"back{target[3:]}"
    with source(str(tmp_path / target)) as masked:
        assert masked.schema.field("a").metadata[b"placet.key_version"] == b"1"
        assert masked.schema.field("b").type == plain.schema.field("b").type
        file.run(masked, str(back), masker.plan(masked.schema, rules, DOMAINS, direction="unmask"), KEYS)
    assert rows(back) == plain.to_pylist()


def test_parquet_keeps_its_codec(tmp_path):
    parquet.write_table(pa.table({"a": ["x"]}), tmp_path / "in.parquet", compression="gzip")
    run(tmp_path / "in.parquet", tmp_path / "out.parquet", CLEAR[:1])
    with source(str(tmp_path / "out.parquet")) as opened:
        assert opened.codec == "gzip"


def test_fpe_in_csv_finds_its_version_in_the_file_beside(tmp_path):
    (tmp_path / "in.csv").write_text("a\n123-456\n")
    rules = [{"column": "a", "rule": "r", "domain": "card"}]
    run(tmp_path / "in.csv", tmp_path / "m.csv", rules, key_version=1)
    assert json.loads((tmp_path / "m.csv.placet.json").read_text())["columns"]["a"]["key_version"] == "1"
    run(tmp_path / "m.csv", tmp_path / "out.csv", rules, direction="unmask")
    assert rows(tmp_path / "out.csv") == [{"a": "123-456"}]


def test_an_aborted_run_leaves_nothing(tmp_path):
    lines = ["a", *(["123456"] * 400_000), "SECRET"]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "out.csv").write_text("before")
    with pytest.raises(ValueRefused) as caught:
        run(
            tmp_path / "in.csv",
            tmp_path / "out.csv",
            [{"column": "a", "rule": "r", "domain": "card"}],
            key_version=1,
        )
    assert caught.value.row == 400_000
    assert (tmp_path / "out.csv").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_json_lines_are_masked_by_path(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a": "x", "n": 1.50}\n\n{"n": 2e5, "a": "x"}\n')
    rules = [{"column": "a", "domain": "id"}, {"column": "n", "mask": "clear"}]
    plan = masker.plan_records(rules, DOMAINS, key_version=1)
    with source(str(tmp_path / "in.jsonl")) as opened:
        paths, again = file.record_paths(opened)
        assert paths == ["a", "n"]
        assert file.run(again, str(tmp_path / "out.jsonl"), plan, KEYS) == 2
    first, blank, second = (tmp_path / "out.jsonl").read_text().splitlines()
    assert blank == ""
    assert first.endswith('", "n": 1.50}')
    assert second.startswith('{"n": 2e5, ')
    assert json.loads(first)["a"] == json.loads(second)["a"]
    beside = json.loads((tmp_path / "out.jsonl.placet.json").read_text())
    assert json.loads(beside["columns"]["record"]["paths"])["a"] == {"mask": "token", "domain": "id"}


ODD_LINES = [
    b"",
    b'{"a":1}',
    b'\xef\xbb\xbf{"a":1}\n',
    b'\n\r\n \t{"a" : "x" , "n":\t1.50e+3 }  \r\n\n{"n":-0,"a":"\\u00e9\\/\\ud800"}\n \n\n',
    b'{"\\u0061":123456789012345678901234567890,"a":{},"a":[]}\n{"n":1E400,"a":"' + b"x" * 100_000 + b'"}',
    (b'{"a":"' + "😀\u2028\x7f".encode() + b'"}\r\n') * 3,
    b"".join(b'{"a":"%d"}%b' % (row, b"\n" * (row % 3 + 1)) for row in range(200_000)) + b"\n\n",
]


@pytest.mark.parametrize("content", ODD_LINES, ids=[f"{each[:20]!r}" for each in ODD_LINES])
def test_json_lines_under_clear_are_the_same_bytes(tmp_path, content):
    (tmp_path / "in.jsonl").write_bytes(content)
    rules = [{"column": path, "mask": "clear"} for path in ("a", "n", "a[]")]
    with source(str(tmp_path / "in.jsonl")) as opened:
        rows = file.run(opened, str(tmp_path / "out.jsonl"), masker.plan_records(rules), None)
    assert (tmp_path / "out.jsonl").read_bytes() == content
    assert rows == sum(bool(line.strip()) for line in content.split(b"\n"))


def test_records_of_json_lines_lose_what_is_around_them_elsewhere(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b'\n{"a":1}\r\n\n {"a":2}')
    for target in ("out.json", "out.parquet"):
        with source(str(tmp_path / "in.jsonl")) as opened:
            plan = masker.plan_records([{"column": "a", "mask": "clear"}])
            file.run(opened, str(tmp_path / target), plan, None)
        assert [row["record"] for row in rows(tmp_path / target)] == ['{"a":1}', '{"a":2}']


@pytest.mark.parametrize("broken", ['{"a":1', '{"a":1}}', '{"a":NaN}', '{"a":"\t"}', "SECRET", '{"b":"SECRET"}'])
def test_a_broken_line_is_named_by_its_row_and_nothing_leaves(tmp_path, broken):
    (tmp_path / "in.jsonl").write_text('{"a":1}\n' * 300_000 + broken + '\n{"a":2}\n')
    plan = masker.plan_records([{"column": "a", "mask": "clear"}])
    with source(str(tmp_path / "in.jsonl")) as opened, pytest.raises(ValueRefused) as caught:
        file.run(opened, str(tmp_path / "out.jsonl"), plan, None)
    assert caught.value.row == 300_000
    assert "SECRET" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


def test_a_path_first_seen_later_fails_the_run(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a":1}\n' * 200_000 + '{"b":"SECRET"}\n')
    plan = masker.plan_records([{"column": "a", "mask": "clear"}])
    with source(str(tmp_path / "in.jsonl")) as opened:
        paths, again = file.record_paths(opened)
        assert paths == ["a"]
        with pytest.raises(ValueRefused) as caught:
            file.run(again, str(tmp_path / "out.jsonl"), plan, None)
    assert (caught.value.column, caught.value.row) == ("b", 200_000)
    assert not (tmp_path / "out.jsonl").exists()


def test_paths_of_all_records_are_found_however_late(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a":1}\n' * 200_000 + '{"b":2}\n')
    with source(str(tmp_path / "in.jsonl")) as opened:
        assert file.all_record_paths(opened) == ["a", "b"]


def test_progress_counts_rows(tmp_path):
    parquet.write_table(pa.table({"a": ["x"] * 100_000}), tmp_path / "in.parquet")
    seen = []
    with source(str(tmp_path / "in.parquet")) as opened:
        plan = masker.plan(opened.schema, CLEAR[:1])
        file.run(opened, str(tmp_path / "out.parquet"), plan, None, progress=seen.append)
    assert opened.rows == seen[-1] == 100_000
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", ["x.txt", "x", "nowhere/x.csv", "missing.parquet"])
def test_files_that_cannot_be_opened_are_refused(tmp_path, name):
    with pytest.raises(FileRefused):
        source(str(tmp_path / name))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(FileRefused), Sink(str(tmp_path / "no" / "x.csv"), pa.schema([("a", pa.string())])):
        pass


def test_pipes_carry_arrow_streams():
    code = (
        "import masker; from masker import file; from masker.arrow.sources import source; s = source('-');"
        "file.run(s, '-', masker.plan(s.schema, [{'column': 'a', 'mask': 'redact'}]), None)"
    )
    stream = io.BytesIO()
    table = pa.table({"a": ["x", None]})
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    done = subprocess.run([sys.executable, "-c", code], input=stream.getvalue(), capture_output=True, check=True)
    assert pa.ipc.open_stream(done.stdout).read_all()["a"].to_pylist() == ["[REDACTED]", None]
