"""What the transformations of an input do to its tags.

1. A transformation carries every tag. So does one of a kind that is not known, and an input that names none.
2. `INDIRECT` with `JOIN`, `FILTER`, `GROUP_BY`, `SORT` or `WINDOW` carries the tags that say so.
3. A masking one masks where its writer is believed. One of Placet's own says which mask: `redact` and `nullify` stop.
4. Several carry what any one of them carries.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pdp.lineage.fact import Way
from pdp.lineage.shape import mapping, sequence

STOPPING = ("nullify", "redact")
"""Masks of Placet's that leave nothing of a value."""
_INDIRECT = ("JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW")
"""Tuples, because what comes from outside need not be hashable."""
_TOKEN = re.compile(r"[A-Z][A-Z_]{0,23}")
"""What a kind of transformation looks like; other texts may hold anything, and are not kept."""
_SHOWN = 3
"""Kinds of transformations that one edge shows to people."""


class Trust(Enum):
    """How far a writer is believed that it masks."""

    NONE = "none"
    MASKING = "masking"
    OWN = "own"
    """It is Placet itself, whose descriptions are the names of its masks."""


def ways(field: Mapping[str, Any], old: Any, trust: Trust, path: str) -> tuple[Sequence[Way], str]:
    """The ways in which an input field feeds its column, and their kinds for people. Raises `InvalidRequest`.

    `old` is the column's `transformationType`, which counts where the field has no transformations of its own.
    """
    value = field.get("transformations")
    given = [] if value is None else sequence(value, f"{path}.transformations")
    given = [mapping(one, f"{path}.transformations[{place}]") for place, one in enumerate(given)]
    if not given and old is not None:
        given = [{"type": "DIRECT", "subtype": old, "masking": old == "MASKED"}]
    found = {_way(one, trust) for one in given} or {Way.CARRY}
    kinds = dict.fromkeys(_kind(one) for one in given[:_SHOWN])
    return _least(found), " ".join(kind for kind in kinds if kind)


def claims_masking(field: Mapping[str, Any]) -> bool:
    """Whether any transformation of a sound input field says that it masks."""
    return any(one.get("masking") is True for one in field.get("transformations") or ())


def _way(one: Mapping[str, Any], trust: Trust) -> Way:
    if one.get("type") == "INDIRECT" and one.get("subtype") in _INDIRECT:
        return Way.INDIRECT
    if one.get("masking") is not True or trust is Trust.NONE:
        return Way.CARRY
    return Way.STOPPED if trust is Trust.OWN and one.get("description") in STOPPING else Way.MASKED


def _least(found: set[Way]) -> Sequence[Way]:
    """The ways that matter beside each other."""
    if Way.CARRY in found:
        return (Way.CARRY,)
    return sorted(found - {Way.STOPPED}) or (Way.STOPPED,)


def _kind(one: Mapping[str, Any]) -> str:
    parts = (one.get("type"), one.get("subtype"))
    return "/".join(part for part in parts if isinstance(part, str) and _TOKEN.fullmatch(part))
