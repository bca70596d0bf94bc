"""File formats by the end of a file's name, how text is laid out, and errors of readers that do not quote the file."""

import codecs
import dataclasses
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from masker.errors import FileRefused

T = TypeVar("T")

SUFFIXES = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".arrow": "arrow",
    ".arrows": "arrows",
}
"""Format by the end of a file's name."""
TEXT = ("csv", "jsonl", "json")
"""Formats that are text: they may be gzip, in another encoding, and have a file of metadata beside them."""
RECORDS = ("jsonl", "json")
"""Formats of JSON records."""
PIPE = "-"
"""The path that means standard input or output."""
SIDECAR = ".placet.json"
"""What is added to the name of a text file to name the file of its metadata."""
BROKEN = (pa.ArrowException, ValueError, EOFError, zlib.error, OverflowError)
"""What readers raise for a file that is broken; their words may quote it. With OSError that is all."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """How text is laid out, where it is not as usual. Raises FileRefused for what no text can have.

    `delimiter` is one character (else comma, or a tab in `.tsv`), `encoding` a name that Python knows (else UTF-8),
    `quote` one character, or empty where a quotation mark is a character like others. `trim` removes blanks around CSV
    cells and names.
    """

    delimiter: str = ""
    encoding: str = ""
    quote: str = '"'
    trim: bool = False

    def __post_init__(self) -> None:
        for name, value, least in (("delimiter", self.delimiter, 0), ("quote", self.quote, 0)):
            if not least <= len(value) <= 1 or not value.isascii() or value in set("\r\n\0"):
                raise FileRefused(f"the {name} must be one ASCII character that ends no line")
        if self.delimiter and self.delimiter == self.quote:
            raise FileRefused("delimiter and quote must differ")
        if self.encoding and not _is_encoding(self.encoding):
            raise FileRefused("the encoding is not known; examples are utf-16, latin-1 and cp1252")


USUAL = Layout()
"""Comma, UTF-8, quotation marks, blanks kept."""


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001  # there is no other way to know it
    except (LookupError, ValueError):
        return False


def is_gzip(path: str) -> bool:
    """Tell whether the name says that the text is packed with gzip."""
    return path != PIPE and Path(path).suffix.lower() == ".gz"


def form_of(path: str) -> str:
    """Return the format that the name of a file says."""
    name = Path(path).name[:-3] if is_gzip(path) else path
    form = SUFFIXES.get(Path(name).suffix.lower())
    if form is None or (is_gzip(path) and form not in TEXT):
        raise FileRefused(f"{Path(path).name}: the name must end in one of {', '.join(SUFFIXES)}; text also in .gz")
    return form


def delimiter_of(path: str) -> str:
    """Return the delimiter that the name of a file says."""
    return "\t" if ".tsv" in (each.lower() for each in Path(path).suffixes[-2:]) else ","


def guarded(path: str, action: Callable[[], T]) -> T:
    """Turn errors of readers and writers, which quote lines, into FileRefused, which does not."""
    problem = ""
    try:
        return action()
    except FileRefused as refused:
        problem = str(refused)
    except OSError as error:
        problem = error.strerror or "the file is not whole, or not in the format that its name says"
    except BROKEN:
        problem = "the file is not whole, or not in the format that its name says"
    raise FileRefused(f"{Path(path).name}: {problem}")
