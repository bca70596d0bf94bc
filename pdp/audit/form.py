"""The form in which an exported log lies before us: packed, in another encoding, doubled, cut.

The content is read through the form as far as it can be: what is missing or changed is found in every form.
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

_PACKED: tuple[tuple[bytes, str, str, Callable[[Any], Any] | None], ...] = (
    (b"\x1f\x8b", "gzip", "gunzip", gzip.open),
    (b"BZh", "bzip2", "bunzip2", bz2.open),
    (b"\xfd7zXZ\x00", "xz", "unxz", lzma.open),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd", None),
    (b"PK\x03\x04", "a zip archive", "unzip", None),
)
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What Python says of a packed file that is cut or damaged."""
_DEEPEST = 4
"""Layers of packing that are opened. It ends a file that unpacks to itself."""


@dataclass(slots=True)
class Form:
    """What is unlike an export as it was written; `remarks` are sentences about the file."""

    remarks: list[str] = field(default_factory=list)

    @contextmanager
    def lines(self, file: IO[bytes]) -> Iterator[Iterator[str]]:
        """The lines of `file`, unpacked and decoded; an empty text in the place of one that is blank or came before."""
        with ExitStack() as stack, self._decoded(self._unpacked(file, stack)) as text:
            yield self._once_each(self._whole(text))

    def _once_each(self, lines: Iterator[str]) -> Iterator[str]:
        seen: dict[bytes, int] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                yield ""
                continue
            first = seen.setdefault(hashlib.sha256(line.strip().encode("utf-8", "surrogateescape")).digest(), number)
            yield line if first == number else ""
            if first != number and not any("doubled" in remark for remark in self.remarks):
                self.remarks.append(f"it is doubled: what stands in line {first} stands in line {number} again")

    def _unpacked(self, file: Any, stack: ExitStack) -> Any:
        for _ in range(_DEEPEST):
            start = _peeked(file)
            packed = next((each for each in _PACKED if start.startswith(each[0])), None)
            if packed is None:
                break
            _, name, command, opened = packed
            self.remarks.append(f"it is {name}; unpack it by `{command}`")
            if opened is None:
                return io.BytesIO()
            file = stack.enter_context(opened(file))
        return file

    def _decoded(self, file: Any) -> io.TextIOWrapper:
        start = _peeked(file)
        encoding = json.detect_encoding(start[:4])
        if encoding == "utf-8":
            return io.TextIOWrapper(file, "utf-8", "surrogateescape")
        if encoding == "utf-8-sig":
            self.remarks.append("it begins with a byte order mark (BOM); save it as UTF-8 without one")
            return io.TextIOWrapper(file, encoding, "surrogateescape")
        self.remarks.append(f"it is in {encoding[:6].upper()}; make UTF-8 of it by `iconv -f {encoding[:6]} -t utf-8`")
        return io.TextIOWrapper(file, encoding, "replace")

    def _whole(self, text: io.TextIOWrapper) -> Iterator[str]:
        """The lines, also of a file that was formatted anew; a packed file that is cut ends where it is."""
        try:
            first = text.readline()
            if first.strip() in {"{", "["}:
                self.remarks.append("it was formatted anew; make lines of it by `jq -c .`")
                yield from _values(first + text.read())
                return
            yield first
            yield from text
        except _BROKEN:
            self.remarks.append("what is packed in it is cut")


def _peeked(file: Any) -> bytes:
    """The first bytes, which are read again later; none where a packed file is cut before them."""
    try:
        return bytes(file.peek(8)[:8]) if hasattr(file, "peek") else b""
    except _BROKEN:
        return b""


def _values(text: str) -> Iterator[str]:
    """Each JSON value in `text`, or in its one list, on a line of its own. Other text ends it."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield text[at:].splitlines()[0]
            return
        for each in value if isinstance(value, list) else [value]:
            yield json.dumps(each) + "\n"
        at += len(text[at:]) - len(text[at:].lstrip())
