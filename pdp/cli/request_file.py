"""Files of requests in JSON: one request, or JSON Lines as a batch. What is something else is named as what it is."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pdp.cli import exit_code

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from pdp.v1.decision_pb2 import AuthorizeRequest

T = TypeVar("T", bound="Message")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


def read(file: str) -> "tuple[list[AuthorizeRequest], bool]":
    """The requests in a file, and whether they are a batch: the file has several lines, or its name ends in .jsonl."""
    from pdp.v1.decision_pb2 import AuthorizeRequest

    text = _text(file)
    lines = {number: line for number, line in enumerate(text.splitlines(), start=1) if line.strip()}
    if file.endswith(".jsonl") or (len(lines) > 1 and _is_object(next(iter(lines.values())))):
        return [_message(line, f"{file}, line {number}", AuthorizeRequest()) for number, line in lines.items()], True
    return [_message(text, file, AuthorizeRequest())], False


def message(file: str, made: T) -> T:
    """The one message of the kind of `made` that a file holds."""
    return _message(_text(file), file, made)


def parsed(text: str, made: T) -> T:
    """A message of what the command line says."""
    return _message(text, "this", made)


def _text(file: str) -> str:
    """The text of a file, - is standard input. Ends the command if it is not UTF-8 or holds nothing."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror}", exit_code.USAGE)
    if content.startswith(_UTF16) or b"\0" in content[:4]:
        _refuse(file, "is UTF-16 text; make it UTF-8, for example with: iconv -f UTF-16 -t UTF-8")
    if content.startswith(_GZIP):
        _refuse(file, "is compressed with gzip; unpack it with gunzip first")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(file, "is not UTF-8 text; make it so, for example with: iconv -f LATIN1 -t UTF-8")
    if not text.strip():
        _refuse(file, "does not hold a request")
    return text


def _message(text: str, place: str, made: T) -> T:
    from google.protobuf import json_format

    name = made.DESCRIPTOR.name
    try:
        if isinstance(json.loads(text), list):
            _refuse(place, f"is a JSON array and not one {name}; a batch has one on each line, as jq -c '.[]' writes")
    except (ValueError, RecursionError):
        pass  # the next reader says where
    try:
        return json_format.Parse(text, made)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        article = "an" if name[0] in "AEIOU" else "a"
        _refuse(place, f"is not {article} {name}: {error}")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(place: str, why: str) -> NoReturn:
    exit_code.fail(f"{place} {why}", exit_code.USAGE)
