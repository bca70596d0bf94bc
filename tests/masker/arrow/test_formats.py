"""What a file's name and its layout say."""

import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from masker.arrow.formats import SUFFIXES, Layout, delimiter_of, form_of, guarded, is_gzip
from masker.errors import FileRefused


@pytest.mark.parametrize(("suffix", "form"), SUFFIXES.items())
def test_name_says_the_format_in_any_case(suffix: str, form: str) -> None:
    assert form_of(f"folder.csv/x{suffix}") == form_of(f"X{suffix.upper()}") == form


@pytest.mark.parametrize(
    ("path", "form", "packed", "delimiter"),
    [
        ("a.csv.gz", "csv", True, ","),
        ("a.TSV.GZ", "csv", True, "\t"),
        ("a.tsv", "csv", False, "\t"),
        ("a.jsonl.gz", "jsonl", True, ","),
        ("a.json", "json", False, ","),
    ],
)
def test_text_may_be_packed_and_tabs_have_their_own_end(path: str, form: str, packed: bool, delimiter: str) -> None:  # noqa: FBT001
    assert (form_of(path), is_gzip(path), delimiter_of(path)) == (form, packed, delimiter)


@pytest.mark.parametrize("path", ["x", "x.txt", "x.parquet.gz", "x.gz", ".csv/x", "-"])
def test_other_names_are_refused_with_those_that_are_known(path: str) -> None:
    with pytest.raises(FileRefused, match="the name must end in one of"):
        form_of(path)


@pytest.mark.parametrize(
    "layout",
    [
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"delimiter": "ä"},
        {"quote": "''"},
        {"delimiter": '"'},
        {"encoding": "hex"},
    ],
)
def test_layout_that_no_text_has_is_refused(layout: dict[str, str]) -> None:
    with pytest.raises(FileRefused):
        Layout(**layout)  # type: ignore[arg-type]


def raising(error: Exception) -> Callable[[], Any]:
    def action() -> Any:
        raise error

    return action


@pytest.mark.parametrize("error", [pa.ArrowInvalid("SECRET"), ValueError("SECRET"), EOFError(), zlib.error("SECRET")])
def test_what_a_reader_says_is_not_repeated(error: Exception) -> None:
    with pytest.raises(FileRefused) as refused:
        guarded("folder/x.csv", raising(error))
    assert str(refused.value) == "x.csv: the file is not whole, or not in the format that its name says"
    with pytest.raises(FileRefused, match=r"x\.csv: No such file"):
        guarded("x.csv", raising(FileNotFoundError(2, "No such file or directory")))
