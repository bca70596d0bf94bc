"""Which datasets a resource is.

1. An entry of `lineage.resources` that fits the resource's type and id names them.
2. A resource of the type `dataset` has a dataset's own names as its id, `<namespace>/<name>`: it is that one alone.
3. Without either: each dataset whose name is the id, or ends with it behind a dot or a slash; or an id such as
   `s3://lake/raw/orders` or `food_delivery/public.orders` that is namespace and name.
4. A spelling that lineage does not know finds no tags, so an id also fits without quotes, blanks and doubled dots.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names, folded
from pdp.lineage.nodes import Nodes, last_part
from pdp.lineage_settings import DataOf

DATASET = "dataset"
"""The type of a resource that is a dataset by its own names. It is data in every configuration."""
MANY = 16
"""Datasets of one resource that are looked at."""
MAX_SPLITS = 16
"""Slashes of an id at which a namespace may end: each costs a look-up of folded names."""
_AROUND, _DOTS = re.compile(r"[\"'`\[\]\s]"), re.compile(r"\.{2,}")
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
            if folded(entry.type) == folded(resource_type) and (found := pattern.fullmatch(resource_id))
        }

    def sure(self, resource_type: str, resource_id: str) -> set[Dataset]:
        """What a resource is by the configuration, or by an id that is namespace and name; also what is not known."""
        return self.named(resource_type, resource_id) or {*self._uri(resource_id)}

    def fitting(self, resource_type: str, resource_id: str, nodes: Nodes, count: int) -> set[int]:
        """The datasets of a resource, of the first `count` ones."""
        if folded(resource_type) == DATASET:
            return {number for number in self._exact(resource_id, nodes) if number < count}
        named = self.named(resource_type, resource_id)
        found = (
            [nodes.numbers.get(name, count) for name in named]
            if named
            else self._ending(resource_type, resource_id, nodes)
        )
        return {number for number in found if number < count}

    def _exact(self, resource_id: str, nodes: Nodes) -> list[int]:
        """The datasets whose namespace and name are the id, wherever the one ends and the other begins."""
        slashes = [place for place, sign in enumerate(resource_id) if sign == "/"][:MAX_SPLITS]
        parts = [(resource_id[:place], resource_id[place + 1 :]) for place in slashes]
        names = [self._names.dataset(*part) for part in parts if all(part)]
        return [nodes.numbers[name] for name in names if name in nodes.numbers]

    def _ending(self, resource_type: str, resource_id: str, nodes: Nodes) -> list[int]:
        fits = []
        for text in {resource_id, _plain(resource_id)}:
            name = folded(self._names.dataset("", text).name)
            near = list(nodes.endings.get(last_part(name), ()))
            fits += [number for number in near if _ends(folded(nodes.datasets[number].name), name)]
            fits += [nodes.numbers[one] for one in self._whole(resource_type, text) if one in nodes.numbers]
        return fits

    def _whole(self, resource_type: str, resource_id: str) -> Iterator[Dataset]:
        """What an id may be that is namespace and name. Many namespaces are not URIs: `food_delivery`, `file:/data`."""
        if "://" in resource_id:
            yield from self._uri(resource_id)
            return
        texts = [resource_id, f"{resource_type}:{resource_id}"] if resource_id.startswith("/") else [resource_id]
        for text in texts:
            parts = text.split("/", MAX_SPLITS)[:MAX_SPLITS]
            for end in accumulate(len(part) + 1 for part in parts[: text.count("/")]):
                yield self._names.dataset(text[: end - 1], text[end:])

    def _uri(self, resource_id: str) -> Sequence[Dataset]:
        """The dataset of an id that is a URI with a path."""
        scheme, mark, rest = resource_id.partition("://")
        authority, _, path = rest.partition("/")
        return [self._names.dataset(scheme + mark + authority, path)] if mark else []


def _plain(text: str) -> str:
    """An id without the quotes, blanks and dots that SQL lets stand around its names."""
    return _DOTS.sub(".", _AROUND.sub("", text)).strip(".")


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
