"""CSV and JSON as they are written, read back by other readers."""

import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.cells import Elements, Lines, Rows
from masker.errors import FileRefused


def written(columns: dict[str, list[str | None]], delimiter: str = ",") -> str:
    batch = pa.record_batch({name: pa.array(values, pa.string()) for name, values in columns.items()})
    file = io.BytesIO()
    rows = Rows(file, batch.schema, delimiter)
    rows.write_batch(batch)
    rows.close()
    return file.getvalue().decode()


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("plain", "plain"),
        ("", '""'),
        (None, ""),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        (" edge", '" edge"'),
        ("two\nlines", '"two\nlines"'),
        ("12", "12"),
    ],
)
def test_cell_is_quoted_where_it_must_be(cell: str | None, line: str) -> None:
    assert written({"a": ["x"], "b": [cell]}) == f"a,b\nx,{line}\n"


@given(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5), st.sampled_from([",", ";", "\t", "|"])
)
def test_pythons_own_reader_reads_the_same(rows: list[tuple[str, str]], delimiter: str) -> None:
    rows = [row for row in rows if not any("\0" in cell for cell in row)]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(("a", "b"))}
    text = written(columns, delimiter)
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert read == [["a", "b"], *map(list, rows)]


def test_type_that_no_cell_holds_is_refused_by_its_column() -> None:
    with pytest.raises(FileRefused, match="column a: CSV cannot hold"):
        Rows(io.BytesIO(), pa.schema([("a", pa.list_(pa.int8()))]), ",")


@pytest.mark.parametrize("records", [[], ['{"a":1}'], ['{"a":1}', "[2]", '"x"']])
def test_records_are_lines_or_the_elements_of_an_array(records: list[str]) -> None:
    batch = pa.record_batch({"record": pa.array(records, pa.string())})
    for kind, read in ((Lines, lambda text: list(map(json.loads, text.splitlines()))), (Elements, json.loads)):
        file = io.BytesIO()
        sink = kind(file)
        sink.write_batch(batch)
        sink.close()
        assert read(file.getvalue().decode()) == [json.loads(record) for record in records]
