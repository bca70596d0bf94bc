"""The log as a file of JSON Lines: a header, then one line for each batch. Records are the text that was hashed.

Bytes that are not UTF-8 (only a damaged log has them) become lone surrogates, so that a copy is always exact.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pdp.v1.audit_pb2 import Batch, Payload

FORMAT = "placet/audit/v1"


@dataclass(frozen=True, slots=True)
class Header:
    """The realm and the keys of the log. `jwks` are the keys that the server named; trust your own copy more.

    It has the keys `audit` and `seal`; that of an older server has `audit` and `grant`.
    """

    realm: str
    jwks: dict[str, Any]


def header_line(header: Header) -> str:
    """The first line of the file."""
    return json.dumps({"format": FORMAT, "realm": header.realm, "jwks": header.jwks}) + "\n"


def batch_line(batch: Batch) -> str:
    """The line of one batch."""
    return "".join(batch_pieces(batch))


def batch_pieces(batch: Batch) -> Iterator[str]:
    """The line of one batch in pieces, one a record: as a whole it takes several times the batch's memory."""
    hashes = {name: getattr(batch, name).hex() for name in ("prev", "head", "signature", "leaves")}
    yield json.dumps({"writer": batch.writer.hex(), "seq": batch.seq, **hashes})[:-1]
    yield ', "records": ['
    yield from _listed(_text(record) for record in batch.records)
    yield '], "payloads": ['
    yield from _listed({"salt": one.salt.hex(), "payload": _text(one.payload)} for one in batch.payloads)
    yield "]}\n"


def _listed(items: Iterable[Any]) -> Iterator[str]:
    for index, item in enumerate(items):
        yield (", " if index else "") + json.dumps(item)


class Ended(ValueError):
    """The export ends in the middle of the file's text; all before was read. The sentence says how."""


def read(lines: Iterator[str]) -> tuple[Header, Iterator[Batch]]:
    """The header and the batches. An empty line is left out.

    Raises `ValueError` with the line's number if the lines are not an export, and `Ended` if they end too early.
    """
    first = _parsed(next(lines, ""), 1)
    realm, jwks = first.get("realm"), first.get("jwks")
    if first.get("format") != FORMAT or not isinstance(realm, str) or not isinstance(jwks, dict):
        raise ValueError(f"line 1: not an export of format {FORMAT}")
    return Header(realm, jwks), _batches(lines)


def _batches(lines: Iterator[str]) -> Iterator[Batch]:
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        members = _parsed(line, number)
        if "format" in members:
            raise Ended(f"another export begins in line {number}; split the file there")
        try:
            batch = _batch(members)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number}: not a batch ({type(error).__name__})") from None
        del members, line  # each is as large as the batch
        yield batch
        del batch


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        if line.startswith("{") and not line.endswith("\n"):
            raise Ended(f"it is cut within line {number}") from None
        raise ValueError(f"line {number}: not JSON") from None
    if not isinstance(members, dict):
        raise ValueError(f"line {number}: not a JSON object")  # noqa: TRY004  # bad text, not a bad type
    return members


def _batch(members: dict[str, Any]) -> Batch:
    hashes = {name: bytes.fromhex(members[name]) for name in ("writer", "prev", "head", "signature", "leaves")}
    if type(members["seq"]) is not int or not isinstance(members["records"], list):  # None and a text would pass
        raise TypeError
    return Batch(
        seq=members["seq"],
        records=[_bytes(record) for record in members["records"]],
        payloads=[
            Payload(salt=bytes.fromhex(payload["salt"]), payload=_bytes(payload["payload"]))
            for payload in members["payloads"]
        ],
        **hashes,
    )


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
