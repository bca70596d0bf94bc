"""Ids: a prefix that a person can read and a UUIDv7 (RFC 9562), so that ids sort by time."""

import re

from uuid_utils import uuid7

_ID = re.compile(r"(?:apr|dec|rec)_([0-9a-f]{32})")


def new(prefix: str) -> str:
    """A fresh id such as `dec_0193…`."""
    return f"{prefix}_{uuid7().hex}"


def record_id(decision_id: str) -> str:
    """The id of a decision's record: the same UUID under the other prefix."""
    return "rec_" + decision_id[4:]


def decision_id(record: str) -> str:
    """The id of the decision that a record is about."""
    return "dec_" + record[4:]


def uuid_bytes(identifier: str) -> bytes | None:
    """The 16 bytes of the UUID in one of our ids; None for any other text."""
    match = _ID.fullmatch(identifier)
    return bytes.fromhex(match[1]) if match else None
