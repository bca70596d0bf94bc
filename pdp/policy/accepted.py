"""The changes that a policy's author accepts: `data.policy_attack.accepted`, one line each, with a reason."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdp.errors import SetupError

PLACE = "data.policy_attack.accepted"


class Accepted(NamedTuple):
    """An accepted change: that `rule` is lost when the value at `path` is changed so."""

    rule: str
    path: str
    change: str
    reason: str


def accepted(data: Mapping[str, Any]) -> list[Accepted]:
    """The lines of a policy's data. Raises `SetupError` if one is not exactly of its shape."""
    held = data.get("policy_attack", {})
    lines = held.get("accepted", []) if isinstance(held, dict) and held.keys() <= {"accepted"} else None
    if not isinstance(lines, list):
        raise SetupError(f"{PLACE} is not a list, or not all that policy_attack holds")
    return [_line(line) for line in lines]


def _line(line: Any) -> Accepted:
    is_whole = isinstance(line, dict) and line.keys() == set(Accepted._fields)
    if not is_whole or not all(isinstance(value, str) and value.strip() for value in line.values()):
        raise SetupError(f"a line of {PLACE} is not an object of the texts {', '.join(Accepted._fields)}")
    return Accepted(**line)
