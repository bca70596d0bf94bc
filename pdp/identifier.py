"""Ids: a prefix that a person can read and a UUIDv7 (RFC 9562), so that ids sort by time.

It is made here and by no library, because what programs of agents depend on pins such a library to other versions.
"""

import os
import re
import threading
import time

_ID = re.compile(r"(?:apr|dec|job|rec)_([0-9a-f]{32})")
_RANDOM_BITS = 74
"""Bits of a UUIDv7 below its milliseconds, its version and variant not counted."""
_STEP_BITS = 48
"""Bits of the random step between two ids of one millisecond, so that even then nobody can guess the next one."""


class _Uuid7:
    """UUIDs that never go back, in any thread: within a millisecond, or when the clock is set back, they count on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        """32 hexadecimal digits."""
        random = int.from_bytes(os.urandom(16))  # for both: a call to the system costs more than the rest
        fresh = time.time_ns() // 1_000_000 << _RANDOM_BITS | random >> 128 - (_RANDOM_BITS - 1)
        with self._lock:
            later = self._last + 1 + (random & (1 << _STEP_BITS) - 1)
            self._last = fresh if fresh >> _RANDOM_BITS > self._last >> _RANDOM_BITS else later
            value = self._last
        milliseconds, high, low = value >> _RANDOM_BITS, value >> 62 & 0xFFF, value & (1 << 62) - 1
        return f"{milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"


_uuid7 = _Uuid7()


def new(prefix: str) -> str:
    """A fresh id such as `dec_0193…`."""
    return f"{prefix}_{_uuid7.next()}"


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
