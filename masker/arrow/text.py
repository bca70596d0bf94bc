"""The text of a file as UTF-8, and what a file really is that does not hold what its name says."""

import codecs
import gzip
import io
from typing import Any, BinaryIO, cast

from masker.errors import FileRefused

HEAD_BYTES = 1 << 16
"""Bytes from the beginning of a file that tell what it is."""
_BUFFER_BYTES = 1 << 20
"""Bytes that are decoded at a time."""
_MARKS = {
    b"\x1f\x8b": "is gzip; end its name in .gz, or unpack it with gunzip",
    b"PAR1": "is Parquet; end its name in .parquet",
    b"ARROW1": "is an Arrow file; end its name in .arrow",
    b"\xff\xff\xff\xff": "is an Arrow stream; end its name in .arrows",
    b"PK\x03\x04": "is a zip archive or an Excel workbook; unpack it with unzip, or save its sheet as CSV",
    b"\x28\xb5\x2f\xfd": "is packed with zstd; unpack it with zstd -d",
    b"BZh91AY&SY": "is packed with bzip2; unpack it with bunzip2",
    b"\xfd7zXZ\0": "is packed with xz; unpack it with unxz",
    codecs.BOM_UTF32_LE: "is UTF-32; pass --encoding utf-32",
    codecs.BOM_UTF32_BE: "is UTF-32; pass --encoding utf-32",
    codecs.BOM_UTF16_LE: "is UTF-16; pass --encoding utf-16",
    codecs.BOM_UTF16_BE: "is UTF-16; pass --encoding utf-16",
}
"""How files begin, the longer beginnings of one kind first."""


def recognized(head: bytes) -> str:
    """Tell what a file is that begins so, and what to do; empty for text and for what is not known."""
    for mark, told in _MARKS.items():
        if head.startswith(mark):
            return told
    half = len(head) // 2
    if half and head[1 : 2 * half : 2].count(0) * 2 > half:
        return "is UTF-16; pass --encoding utf-16-le"
    if half and head[0 : 2 * half : 2].count(0) * 2 > half:
        return "is UTF-16; pass --encoding utf-16-be"
    return ""


def utf8(file: BinaryIO, encoding: str, *, packed: bool) -> io.BufferedReader:
    """Return the text in UTF-8 without a mark at its beginning. Raises FileRefused for other files."""
    plain = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
    head = plain.read(HEAD_BYTES)
    told = recognized(head)
    if told and not (encoding and "--encoding" in told):
        raise FileRefused(f"the file {told}")
    return io.BufferedReader(_Text(head, plain, encoding), _BUFFER_BYTES)


def mark_of(text: io.BufferedReader) -> bytes:
    """The mark that stood at the beginning of such a text, or nothing."""
    return cast("_Text", text.raw).mark


class _Text(io.RawIOBase):
    """The head, then the rest of a file, decoded and encoded again where it is not UTF-8."""

    def __init__(self, head: bytes, rest: BinaryIO, encoding: str) -> None:
        self._rest = rest
        self._decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
        ready = self._decoded(head)
        self._ready = ready.removeprefix(codecs.BOM_UTF8)
        self.mark = ready[: len(ready) - len(self._ready)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._rest.read(HEAD_BYTES)
            self._ready = self._decoded(data)
            if not data:
                break
        taken, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _decoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        problem = ""
        try:
            return self._decoder.decode(data, final=not data).encode()
        except UnicodeError:
            problem = "the text is not in the encoding that --encoding names"
        raise FileRefused(problem)
