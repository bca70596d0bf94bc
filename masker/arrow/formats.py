"""File formats by the end of a file's name, and errors of their readers that do not quote the file."""

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
"""Format by the end of a file's name."""
PIPE = "-"
"""The path that means standard input or output."""
SIDECAR = ".placet.json"
"""What is added to the name of a CSV or JSON Lines file to name the file of its metadata."""


def form_of(path: str) -> str:
    """Return the format that the name of a file says."""
    form = SUFFIXES.get(Path(path).suffix.lower())
    if form is None:
        raise FileRefused(f"{Path(path).name}: the name must end in one of {', '.join(SUFFIXES)}")
    return form


def guarded(path: str, action: Callable[[], T]) -> T:
    """Turn errors of readers and writers, which quote lines, into FileRefused, which does not."""
    problem = ""
    try:
        return action()
    except (pa.ArrowException, UnicodeError, csv.Error):
        problem = "the file is not in the format that its name says"
    except OSError as error:
        problem = error.strerror or "the file cannot be read"
    raise FileRefused(f"{Path(path).name}: {problem}")
