"""Finds that a folder is only a part of a policy: what its rules read lies in a folder above."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pdp.policy.module import Module
from pdp.policy.reference import definitions, lost
from pdp.policy.sources import CORE

_ABOVE = 2
"""How many folders above are looked at."""


def part_of(folders: Sequence[Path], modules: Sequence[Module], data: Mapping[str, Any]) -> str:
    """A sentence that names the whole folder; empty if nothing that is missing in this one lies above it."""
    if len(folders) != 1:
        return ""
    rules, own = definitions(modules), [each for each in modules if each.source.label != CORE]
    missing = sorted({path[1] for module in own for _, path in lost(module, rules, data)})
    for above in list(folders[0].resolve().parents)[:_ABOVE] if missing else ():
        held = next((name for name in missing if _has_rules(above / name) or name in _data_of(above)), "")
        if held:
            whole = os.path.relpath(above)
            return (
                f"{folders[0]} is a part of a policy: its rules read `data.{held}`, which lies beside it in {whole}; "
                f"check the whole folder: `pdp policy check {whole}`"
            )
    return ""


def _has_rules(folder: Path) -> bool:
    return any(folder.glob("*.rego"))


def _data_of(folder: Path) -> Mapping[str, Any]:
    """The data of a folder that is written in JSON; nothing if it cannot be read."""
    try:
        found = orjson.loads((folder / "data.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
