"""Odd files, made with other tools than our own writers: what they hold, or a word of what refuses them."""

import bz2
import csv
import datetime as dt
import decimal
import gzip
import io
import json
import lzma
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

ROWS = [["007", "Müller"], ["1e5", 'say "hi", twice'], ["", "two\nlines"], ["NA", " blanks "]]
NAMES = ["id", "full name"]
TEXT = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
RECORDS = [{"a": 1.50, "b": [1, "x"]}, {"a": None, "ü": {"c": True}}]
FAR = [dt.datetime(9999, 12, 31, 1, 2, 3, 456), dt.datetime(1000, 1, 1, 0, 0, 0, 1), dt.datetime(2020, 2, 29), None]  # noqa: DTZ001
Case = tuple[str, bytes, Any, dict[str, str]]
"""Name, bytes, the wanted rows (a list) or a word of the refusal (a text), and the layout that is passed."""


def written(**options: Any) -> str:
    """CSV by Python's own writer, every cell quoted: so an empty cell is text."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, **options)
    writer.writerows([NAMES, *ROWS])
    return out.getvalue()


def texts() -> Iterator[Case]:
    """CSV of other programs."""
    plain = written()
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "utf-7"):
        yield f"{name}.csv", plain.encode(name), TEXT, {"encoding": name}
    yield "mark.csv", plain.encode("utf-8-sig"), TEXT, {}
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield f"{name}-not-said.csv", plain.encode(name), "utf-", {}
    yield "latin-not-said.csv", plain.encode("latin-1"), "--encoding latin-1", {}
    yield "wrong.csv", plain.encode("latin-1"), "encoding that --encoding names", {"encoding": "ascii"}
    for end, named in (("\n", "lf"), ("\r\n", "crlf"), ("\r", "cr")):
        yield f"{named}.csv", written(lineterminator=end).encode(), TEXT, {}
        yield f"{named}-open.csv", written(lineterminator=end).encode().rstrip(), TEXT, {}
    for delimiter in (";", "\t", "|", ":"):
        body = written(delimiter=delimiter).encode()
        yield f"{ord(delimiter)}.csv", body, TEXT, {"delimiter": delimiter}
    yield "tab.tsv", written(delimiter="\t").encode(), TEXT, {}
    for delimiter, told in ((";", "--delimiter ';'"), ("\t", "--delimiter $'"), ("|", "--delimiter '|'")):
        yield f"{ord(delimiter)}-not-said.csv", f"id{delimiter}email\n1{delimiter}x\n".encode(), told, {}
    yield "really-one.csv", b"a;b\nx\n", [{"a;b": "x"}], {"delimiter": ","}
    yield "apostrophes.csv", written(quotechar="'").encode(), TEXT, {"quote": "'"}
    yield "inches.csv", b'a,b\n5" pipe,"x\n', [{"a": '5" pipe', "b": '"x'}], {"quote": ""}
    yield "packed.csv.gz", gzip.compress(plain.encode()), TEXT, {}
    yield "parts.csv.gz", gzip.compress(plain[:20].encode()) + gzip.compress(plain[20:].encode()), TEXT, {}


def broken_texts() -> Iterator[Case]:
    """CSV that is broken, and what is called CSV and is something else."""
    plain = written().encode()
    packed = gzip.compress(plain)
    yield "cut.csv.gz", packed[:-9], "not whole", {}
    yield "changed.csv.gz", packed[:30] + b"\0\0\0\0" + packed[34:], "not whole", {}
    yield "not.csv.gz", plain, "not whole", {}
    yield "gzip.csv", packed, "gzip", {}
    yield "bzip2.csv", bz2.compress(plain), "bunzip2", {}
    yield "xz.csv", lzma.compress(plain), "unxz", {}
    yield "excel.csv", b"PK\x03\x04" + plain, "Excel", {}
    yield "parquet.csv", b"PAR1" + plain, ".parquet", {}
    yield "empty.csv", b"", "empty", {}
    yield "blank.csv", b"\r\n\r\n", "empty", {}
    yield "lone-in-header.csv", b'id,"email\n1,a\n2,b\n', "quotation mark", {}
    yield "lone-first.csv", b'"id,email\n1,a\n2,b\n', "quotation mark", {}
    yield "lone-below.csv", b'id,email\n1,"a\n2,b\n', "quotation mark", {}
    yield "lone-in-one.csv", b'id\n1\n"2\n3\n', "quotation mark", {}
    yield "ragged.csv", b"a,b\n" + b"1,2\n" * 65_001 + b"1,2,3\n", "row 65001 (rows count from 0) has 3 cells", {}
    yield "short.csv", b"a,b\n1\n", "row 0 (rows count from 0) has 1 cells", {}
    yield "twice.csv", b"a,a\n1,2\n", "must differ", {}
    yield "nameless.csv", b"a,\n1,2\n", "needs a name", {}
    yield "huge.csv", b"a,b\n1,2\n" + b"x" * 9_000_000 + b",1\n", "longer than 4 MiB", {}
    yield "large.csv", b"a,b\n" + b"x" * 3_000_000 + b",1\n", [{"a": "x" * 3_000_000, "b": "1"}], {}
    yield "header.csv", b"a,b", [], {}
    yield "one.csv", b"a\n\n", [{"a": None}], {}
    yield "names.csv", b"a-b,c.d,\xc3\xa4 x\n1,2,3\n", [{"a-b": "1", "c.d": "2", "ä x": "3"}], {}
    yield "blanks.csv", b" a ,b\n1,2\n", [{" a ": "1", "b": "2"}], {}
    yield "nul.csv", b"a,b\n1\0,2\n", [{"a": "1\0", "b": "2"}], {}


def records() -> Iterator[Case]:
    """JSON Lines and arrays."""
    lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in RECORDS) + "\n"
    array = json.dumps(RECORDS, ensure_ascii=False, indent=1)
    for form, text in (("jsonl", lines), ("json", array)):
        yield f"plain.{form}", text.encode(), RECORDS, {}
        yield f"mark.{form}", text.encode("utf-8-sig"), RECORDS, {}
        yield f"packed.{form}.gz", gzip.compress(text.encode()), RECORDS, {}
        yield f"latin.{form}", text.encode("latin-1"), "--encoding latin-1", {}
        yield f"latin-said.{form}", text.encode("latin-1"), RECORDS, {"encoding": "latin-1"}
        yield f"utf-16.{form}", text.encode("utf-16"), "--encoding utf-16", {}
        yield f"cut.{form}", text.encode()[:-9], "not", {}
    yield "crlf.jsonl", lines.replace("\n", "\r\n").encode(), RECORDS, {}
    yield "cr.jsonl", lines.replace("\n", "\r").encode(), "CR alone", {}
    yield "array.jsonl", array.encode(), ".json", {}
    yield "lines.json", lines.encode(), ".jsonl", {}
    yield "none.json", b" [ ] ", [], {}
    yield "more.json", b"[{}] [{}]", "follows", {}
    yield "deep.json", b"[" * 100_000, "not JSON", {}


def columns() -> Iterator[tuple[str, Any]]:
    """A column of each type that Parquet can hold."""
    day = dt.date(9999, 12, 31)
    yield "int8", pa.array([-128, None, 127], pa.int8())
    yield "uint64", pa.array([0, 2**64 - 1], pa.uint64())
    yield "float", pa.array([1.5, float("inf"), None])
    yield "decimal", pa.array([decimal.Decimal("12.30"), None], pa.decimal128(9, 2))
    yield "wide", pa.array([decimal.Decimal(10**40)], pa.decimal256(50, 0))
    yield "date", pa.array([day, dt.date(1, 1, 1)])
    for unit in ("s", "ms", "us"):
        yield unit, pa.array(FAR, pa.timestamp(unit))
    yield "zone", pa.array(FAR, pa.timestamp("us", "Europe/Berlin")).slice(1)
    yield "bool", pa.array([True, None])
    yield "null", pa.nulls(3)
    yield "binary", pa.array([b"\xff\x00", b"", None])
    yield "text", pa.array(["ü", "", None], pa.large_string())
    yield "dictionary", pa.array(["a", "b", "a", None]).dictionary_encode()
    yield "list", pa.array([["a", None], [], None])
    yield "struct", pa.array([{"a": 1, "b": "x"}, None])
    yield "map", pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64()))
    yield "time", pa.array([dt.time(1, 2, 3)], pa.time64("us"))


def parquet_bytes(made: pa.Table, **options: Any) -> bytes:
    out = pa.BufferOutputStream()
    parquet.write_table(made, out, **options)
    return bytes(out.getvalue())


def broken_parquet() -> Iterator[Case]:
    """Parquet cut, changed and mistaken."""
    whole = parquet_bytes(pa.table({"a": ["x" * 50, "y"] * 100}), compression="none", use_dictionary=False)
    yield "head.parquet", whole[:100], "not whole", {}
    yield "tail.parquet", whole[-100:], "not whole", {}
    yield "empty.parquet", b"", "not whole", {}
    yield "footer.parquet", whole[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1", "not whole", {}
    yield "pages.parquet", whole[:4] + b"\xff" * 400 + whole[404:], "not whole", {}
    yield "gzip.parquet", gzip.compress(whole), "gunzip", {}


def with_tools() -> Iterator[tuple[str, Callable[[Path], Any]]]:
    """Files that pyarrow writes as older and other programs do."""
    far = pa.table({"t": pa.array(FAR, pa.timestamp("us"))})
    yield "int96.parquet", lambda path: parquet.write_table(far, path, use_deprecated_int96_timestamps=True)
    deep = pa.table({"s": pa.array([{"t": [each]} for each in FAR])})
    yield "int96-deep.parquet", lambda path: parquet.write_table(deep, path, use_deprecated_int96_timestamps=True)
    for codec in ("snappy", "gzip", "brotli", "zstd", "lz4", "none"):
        yield f"{codec}.parquet", lambda path, codec=codec: parquet.write_table(far, path, compression=codec)
    yield "v1.parquet", lambda path: parquet.write_table(far, path, version="1.0", data_page_version="1.0")
    yield "groups.parquet", lambda path: parquet.write_table(far, path, row_group_size=1)
    yield "no-rows.parquet", lambda path: parquet.write_table(far.slice(0, 0), path)


def hadoop_lz4(path: Path) -> None:
    """Parquet whose footer names the older LZ4 (5) in place of LZ4_RAW (7), as Hadoop does; both stand doubled."""
    made = pa.table({"a": ["x" * 50, "y"] * 100})
    whole = parquet_bytes(made, compression="lz4", use_dictionary=False, write_statistics=False)
    other = parquet_bytes(made, compression="zstd", use_dictionary=False, write_statistics=False)
    start, its_start = (len(each) - 8 - int.from_bytes(each[-8:-4], "little") for each in (whole, other))
    at = next(number for number in range(999) if whole[start + number] != other[its_start + number])
    assert whole[start + at] == 14
    path.write_bytes(whole[: start + at] + bytes([10]) + whole[start + at + 1 :])
