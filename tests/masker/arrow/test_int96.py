"""INT96 comes out right or is refused."""

import datetime as dt
import io
import struct

import pyarrow as pa
import pytest
from pyarrow import parquet

from masker.arrow import int96
from masker.arrow.sources import source
from masker.errors import FileRefused


def written(path, values):
    parquet.write_table(
        pa.table({"t": pa.array(values, pa.timestamp("ns"))}),
        path,
        use_deprecated_int96_timestamps=True,
        use_dictionary=False,
        compression="none",
    )


def test_nanoseconds_stay_where_all_fit(tmp_path):
    written(tmp_path / "x.parquet", [1, None, -1])
    with source(str(tmp_path / "x.parquet")) as opened:
        assert opened.schema.field("t").type == pa.timestamp("ns")
        assert [value.value for batch in opened.batches() for value in batch.column(0)] == [1, None, -1]


def test_nanoseconds_beside_far_years_are_refused_by_row(tmp_path):
    """A day far away, packed by hand: nanoseconds of the day, then the Julian day."""
    written(tmp_path / "x.parquet", [1, 86_400_000_000_000])
    body = (tmp_path / "x.parquet").read_bytes()
    near, far = struct.pack("<qi", 0, 2_440_589), struct.pack("<qi", 0, 5_373_484)
    assert body.count(near) == 1
    (tmp_path / "x.parquet").write_bytes(body.replace(near, far))
    with pytest.raises(FileRefused, match=r"column t, from row 0 \(rows count from 0\): an INT96 timestamp is outside"):
        source(str(tmp_path / "x.parquet"))


def test_files_without_int96_are_not_read():
    out = io.BytesIO()
    parquet.write_table(pa.table({"t": [dt.datetime(2020, 1, 1)]}), out)  # noqa: DTZ001
    assert int96.unit(out, parquet.ParquetFile(out), 10) == "ns"
