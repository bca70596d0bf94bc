"""What is wrong with the bytes of a policy's file: encoding, line ends, or where it stops being JSON or YAML."""

import re

import orjson

from pdp.policy.finding import Finding
from pdp.policy.sources import Source

UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def unreadable(source: Source, error: Exception, rule: str, wanted: str) -> Finding:
    """The finding for a file that is not JSON or YAML as `wanted`: its encoding, or the line and the column."""
    if fault := mark(source):
        return fault
    line, where = _place(source, error)
    return Finding(source.shown, line, rule, f"{where}{wanted}")


def mark(source: Source) -> Finding | None:
    """A finding if the file is not UTF-8, or begins with a byte order mark, which JSON and Rego do not have."""
    if source.content.startswith(UTF16_MARKS):
        return _encoded(source, "it is in UTF-16; save it as UTF-8")
    if source.content.startswith(UTF8_MARK):
        return _encoded(source, "it begins with a byte order mark (BOM); save it as UTF-8 without one")
    try:
        source.content.decode()
    except UnicodeDecodeError as error:
        line = source.content.count(b"\n", 0, error.start) + 1
        return Finding(source.shown, line, "encoding", "it is not UTF-8; save it as UTF-8")
    return None


def _encoded(source: Source, sentence: str) -> Finding:
    return Finding(source.shown, 0, "encoding", sentence)


def line_ends(source: Source) -> Finding | None:
    """A finding if lines end as on Windows, for which `opa fmt` takes the whole file to be unformatted."""
    if b"\r\n" not in source.content:
        return None
    sentence = "its lines end with CRLF, as on Windows; save it with LF, or run `opa fmt --write` on it"
    return Finding(source.shown, 0, "line-ends", sentence)


def _place(source: Source, error: Exception) -> tuple[int, str]:
    """The line of a parser's error (0 is the whole file), and a beginning for the sentence."""
    if isinstance(error, orjson.JSONDecodeError):
        text = source.content.decode()
        if not text.strip():
            return 0, "it is empty; "
        return error.lineno, f"it is not JSON at column {error.colno}; "
    if found := re.search(r"yaml: line (\d+)", str(error)):
        return int(found[1]), "it is not YAML here; "
    return 0, ""
