"""The values of a file that are looked at."""

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from masker.arrow.sources import source
from masker.sample import CHARACTERS, sample


def sampled(path: Path, values: int = 1000) -> dict[str, list[str]]:
    with source(str(path)) as opened:
        return sample(opened, values)


def test_texts_and_numbers_are_taken_by_column_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "email": ["a@b.de", None, " "],
            "n": [1, 2, 3],
            "ok": [True, False, None],
            "raw": [b"x", b"y", b"z"],
            "deep": [{"x": "u", "l": ["v", "w"]}, None, {"x": None, "l": []}],
        }
    )
    parquet.write_table(table, path)
    assert sampled(path) == {
        "email": ["a@b.de"], "n": ["1", "2", "3"], "ok": [], "raw": [],
        "deep": [], "deep.x": ["u"], "deep.l[]": ["v", "w"],
    }  # fmt: skip


def test_rows_are_spaced_over_the_first_batch_and_long_texts_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"n": [f"{n}" + "x" * 2000 for n in range(5000)]}), path)
    texts = sampled(path, 10)["n"]
    assert [text.rstrip("x") for text in texts] == [str(n) for n in range(0, 5000, 500)]
    assert {len(text) for text in texts} == {CHARACTERS}


def test_records_have_their_leaf_paths(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": {"b": "x"}, "l": [{"c": 1}, {"c": null}]}\n{"a": {"b": "y"}}\n')
    assert sampled(path) == {"a.b": ["x", "y"], "l[].c": ["1"]}


def test_csv_without_rows_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("email,n\n")
    assert sampled(path) == {"email": [], "n": []}
