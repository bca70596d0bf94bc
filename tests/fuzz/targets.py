"""What the fuzzer feeds: a type's Arrow messages, CSV, JSON Lines or a JSON array, as the first byte says."""

import io

from masker.arrow import documents, json_lines
from masker.arrow.delimited import Delimited
from masker.arrow.formats import Layout
from masker.arrow.text import utf8
from masker.errors import FileRefused
from tests import hostile
from tests.pdp.arrow.test_hostile import plan, seen

_TYPES = list(hostile.TYPES)
_SCHEMAS = [hostile.batch(name).schema for name in _TYPES]
_PLANS = [plan(schema) for schema in _SCHEMAS]
_LENGTH = 4
"""Bytes before an Arrow message that say how long it is."""


def one(data: bytes) -> None:
    """Refused in a sentence, or read; anything else is raised."""
    if not data:
        return
    kind, body = data[0] % (len(_TYPES) + len(_FILES)), data[1:]
    if kind < len(_TYPES):
        seen(_messages(body), _SCHEMAS[kind], _PLANS[kind])
        return
    try:
        _FILES[kind - len(_TYPES)](body)
    except FileRefused as refused:
        told = str(refused)
    else:
        return
    assert "\n" not in told
    assert len(told) < 300


def seeds() -> list[bytes]:
    """What is valid, for each target."""
    arrow = [
        bytes([number]) + b"".join(len(each).to_bytes(_LENGTH, "big") + each for each in hostile.messages(made))
        for number, made in enumerate(map(hostile.batch, _TYPES))
    ]
    texts = [b'a,"b\n",c\r\n1,"2""",\n', b'{"a": 1}\n\n{"b": "x"}\n', b'[{"a": 1}, {"b": [null]}]']
    return arrow + [bytes([len(_TYPES) + number]) + text for number, text in enumerate(texts)]


def _messages(body: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + _LENGTH], "big")
        found.append(body[at + _LENGTH : at + _LENGTH + size])
        at += _LENGTH + max(size, 1)
    return found


def _csv(body: bytes) -> None:
    rows = Delimited(utf8(io.BytesIO(body), "", packed=False), Layout(), ",")
    for batch in rows.batches():
        batch.validate(full=True)


def _lines(body: bytes) -> None:
    list(json_lines.lines(utf8(io.BytesIO(body), "", packed=False)))


def _elements(body: bytes) -> None:
    list(documents.elements(utf8(io.BytesIO(body), "", packed=False)))


_FILES = [_csv, _lines, _elements]
