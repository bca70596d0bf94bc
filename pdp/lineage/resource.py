"""Which datasets a resource is.

1. An entry of `lineage.resources` that fits the resource's type and id names them.
2. A resource of the type `dataset` has a dataset's own names as its id, `<namespace>/<name>`: it is that one alone.
3. Without either: each dataset whose name is the id, or ends with it behind a dot or a slash; or an id such as
   `s3://lake/raw/orders` that is namespace and name.
"""

import re
from collections.abc import Sequence

from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names, folded
from pdp.lineage.nodes import Nodes, last_part
from pdp.lineage_settings import DataOf

DATASET = "dataset"
"""The type of a resource that is a dataset by its own names. It is data in every configuration."""
MANY = 16
"""Datasets of one resource that are looked at."""
_PLACE = re.compile(r"\{(\w+)\}")


class Resources:
    """The entries of the configuration, read once."""

    def __init__(self, entries: Sequence[DataOf], names: Names) -> None:
        self._names = names
        self._entries = [(entry, _pattern(entry.id)) for entry in entries]

    def named(self, resource_type: str, resource_id: str) -> set[Dataset]:
        """The datasets that entries name for a resource."""
        return {
            self._names.dataset(_filled(entry.namespace, found), _filled(entry.name, found))
            for entry, pattern in self._entries
            if entry.type == resource_type and (found := pattern.fullmatch(resource_id))
        }

    def fitting(self, resource_type: str, resource_id: str, nodes: Nodes, count: int) -> set[int]:
        """The datasets of a resource, of the first `count` ones."""
        if resource_type == DATASET:
            return {number for number in self._exact(resource_id, nodes) if number < count}
        named = self.named(resource_type, resource_id)
        found = [nodes.numbers.get(name, count) for name in named] if named else self._ending(resource_id, nodes)
        return {number for number in found if number < count}

    def _exact(self, resource_id: str, nodes: Nodes) -> list[int]:
        """The datasets whose namespace and name are the id, wherever the one ends and the other begins."""
        slashes = [place for place, sign in enumerate(resource_id) if sign == "/"]
        parts = [(resource_id[:place], resource_id[place + 1 :]) for place in slashes]
        names = [self._names.dataset(*part) for part in parts if all(part)]
        return [nodes.numbers[name] for name in names if name in nodes.numbers]

    def _ending(self, resource_id: str, nodes: Nodes) -> list[int]:
        scheme, mark, rest = resource_id.partition("://")
        authority, _, path = rest.partition("/")
        whole = nodes.numbers.get(self._names.dataset(scheme + mark + authority, path)) if mark else None
        name = folded(self._names.dataset("", resource_id).name)
        near = list(nodes.endings.get(last_part(name), ()))
        fits = [number for number in near if _ends(folded(nodes.datasets[number].name), name)]
        return fits if whole is None else [*fits, whole]


def _ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith(("." + ending, "/" + ending.lstrip("/")))


def _pattern(text: str) -> re.Pattern[str]:
    """An id's pattern: what stands in braces ends before the next character of the text that follows it."""
    parts = _PLACE.split(text)
    pattern, seen = re.escape(parts[0]), set[str]()
    for name, following in zip(parts[1::2], parts[2::2], strict=True):
        value = f"[^{re.escape(following[0])}]+" if following else ".+"
        pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{value})"
        pattern += re.escape(following)
        seen.add(name)
    return re.compile(pattern, re.DOTALL)


def _filled(text: str, found: re.Match[str]) -> str:
    return _PLACE.sub(lambda place: found[place[1]], text)
