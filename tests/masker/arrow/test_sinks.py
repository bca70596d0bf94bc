import json

import pyarrow as pa
import pytest

from masker.arrow.sinks import Sink
from masker.arrow.sources import source
from masker.errors import FileRefused
from masker.records import COLUMN

FIELD = pa.field("a", pa.string(), metadata={"placet.mask": "token"})
SCHEMA = pa.schema([FIELD])


def batch(values, schema=SCHEMA):
    return pa.record_batch([pa.array(values, schema.field(0).type)], schema=schema)


def read(path):
    with source(str(path)) as opened:
        return pa.Table.from_batches(list(opened.batches())).to_pylist()


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.arrow", "x.arrows"])
def test_a_file_appears_when_all_of_it_is_written(tmp_path, name):
    target = tmp_path / name
    with Sink(str(target), SCHEMA) as sink:
        sink.write(batch(["x", None]))
        assert not target.exists()
        sink.write(batch(["", "é"]))
    assert read(target) == [{"a": "x"}, {"a": None}, {"a": ""}, {"a": "é"}]
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".placet.json")) == [name]


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.arrow", "x.arrows"])
def test_an_error_leaves_what_was_there(tmp_path, name):
    target = tmp_path / name
    target.write_text("before")

    def write():
        with Sink(str(target), SCHEMA) as sink:
            sink.write(batch(["x"]))
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_csv_has_its_metadata_in_a_file_beside_it(tmp_path):
    with Sink(str(tmp_path / "x.csv"), SCHEMA) as sink:
        sink.write(batch(["x"]))
    beside = json.loads((tmp_path / "x.csv.placet.json").read_text())
    assert beside == {"format": 1, "columns": {"a": {"mask": "token"}}}


def test_an_arrow_file_takes_batches_with_different_dictionaries(tmp_path):
    schema = pa.schema([("a", pa.dictionary(pa.int32(), pa.string()))])
    with Sink(str(tmp_path / "x.arrow"), schema) as sink:
        for values in (["x", "y"], ["z", "x"], [None, "w"]):
            sink.write(pa.record_batch([pa.array(values).dictionary_encode()], schema=schema))
    assert [row["a"] for row in read(tmp_path / "x.arrow")] == ["x", "y", "z", "x", None, "w"]


def test_only_records_become_json_lines(tmp_path):
    records = pa.schema([(COLUMN, pa.large_string())])
    with Sink(str(tmp_path / "x.jsonl"), records) as sink:
        sink.write(batch(['{"a":1}', '{"a":"é"}'], records))
    assert (tmp_path / "x.jsonl").read_text() == '{"a":1}\n{"a":"é"}\n'
    with (
        pytest.raises(FileRefused, match="JSON can only be written from records"),
        Sink(str(tmp_path / "y.jsonl"), SCHEMA),
    ):
        pass
    assert not (tmp_path / "y.jsonl").exists()
