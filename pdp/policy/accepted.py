"""The changes that a policy's author accepts: `data.policy_attack.accepted`, one line each, with a reason."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from pdp.errors import SetupError
from pdp.policy.near import near
from pdp.policy.variants import CHANGES

PLACEHOLDER = "WHY THIS IS RIGHT"
"""What the attack prints in the place of a reason."""
PLACE = "data.policy_attack.accepted"


class Accepted(NamedTuple):
    """An accepted change: that `rule` is lost when the value at `path` is changed so."""

    rule: str
    path: str
    change: str
    reason: str


def accepted(data: Mapping[str, Any], rules: Collection[str] = ()) -> list[Accepted]:
    """The lines of a policy's data. Raises `SetupError` with the index of a line that is refused.

    `rules` are those that the policy has; without them any name of a rule is taken.
    """
    held = data.get("policy_attack", {})
    lines = held.get("accepted", []) if isinstance(held, dict) and held.keys() <= {"accepted"} else None
    if not isinstance(lines, list):
        raise SetupError(f"{PLACE} is not a list, or not all that policy_attack holds")
    return [_line(line, f"{PLACE}[{index}]", rules) for index, line in enumerate(lines)]


def _line(line: Any, place: str, rules: Collection[str]) -> Accepted:
    names = Accepted._fields
    if not isinstance(line, dict):
        raise SetupError(f"{place} is not an object of the texts {', '.join(names)}")
    if unlike := [name for name in names if not (isinstance(line.get(name), str) and line[name].strip())]:
        raise SetupError(f"{place} lacks {', '.join(unlike)}; its members are the texts {', '.join(names)}")
    if more := line.keys() - set(names):
        raise SetupError(f"{place} has the unknown member `{min(more)}`; its members are {', '.join(names)}")
    if line["reason"].strip().casefold() == PLACEHOLDER.casefold():
        raise SetupError(f"{place}: say in `reason` why this change may weaken the answer")
    for name, known in (("change", CHANGES), ("rule", rules)):
        if known and line[name] not in known:
            close = near(line[name], known)
            meant = f"is `{close}` meant? " if close else ""
            raise SetupError(f"{place}: there is no {name} `{line[name]}`; {meant}write one that the attack prints")
    return Accepted(**line)
