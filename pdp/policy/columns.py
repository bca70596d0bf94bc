"""The columns that a policy's masks and tags name, as the core is asked about them."""

from collections.abc import Iterable, Mapping
from typing import Any

from pdp.policy.module import Module, entry_of
from pdp.policy.variants import UNKNOWN


def columns(modules: Iterable[Module], data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every column that a `mask` entry or `data.column_tags` writes out, and one that nothing names."""
    entries = [entry_of(rule) for module in modules if module.package == ("policy",) for rule in module.rules]
    lists = [entry.get("columns") for entry in entries if isinstance(entry, dict)]
    tagged = data.get("column_tags")
    lists += [list(table) for table in tagged.values() if isinstance(table, dict)] if isinstance(tagged, dict) else []
    names = {name for named in lists if isinstance(named, list) for name in named if isinstance(name, str)}
    return [{"name": name, "type": "string", "leaf": True, "above": []} for name in sorted((names - {"*"}) | {UNKNOWN})]
