"""File formats by name, and what their readers' errors may say."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from masker.errors import FileRefused

T = TypeVar("T")

SUFFIXES = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".arrows": "arrows",
}
PIPE = "-"
SIDECAR = ".placet.json"


def form_of(path: str) -> str:
    """Name the format that a file name says."""
    form = SUFFIXES.get(Path(path).suffix.lower())
    if form is None:
        raise FileRefused(f"{Path(path).name}: the name ends in none of {', '.join(SUFFIXES)}")
    return form


def guarded(path: str, action: Callable[[], T]) -> T:
    """Turn readers' and writers' errors, which quote lines, into ours, which do not."""
    problem = ""
    try:
        return action()
    except (pa.ArrowException, UnicodeError, csv.Error):
        problem = "it does not hold what its name says"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    raise FileRefused(f"{Path(path).name}: {problem}")
