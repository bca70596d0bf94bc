"""The syntax trees of many modules from one run of OPA, because a run for each file takes 17 ms.

1. `rego.parse_module` gives them without places. A place is asked of `opa parse` once something reads it, which is
   where a finding names a line; so a policy without findings needs no other run.
2. It passes over METADATA. `opa inspect` reads that of all files in one run; where it fails, all are parsed one by one.
"""

import codecs
import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.sources import Source, staged
from pdp.policy.stock import run

FEW = 8
"""Files that are parsed one by one: the two runs for many take as long."""
_QUERY = "{name: tree | some name, text in input; tree := rego.parse_module(name, text)}"
_PLACED = ("head", "ref", "terms", "type", "path", "symbols", "domain", "target")
"""A node of OPA's syntax that has one of these keys stands somewhere."""
_INNER = (dict, list)

Parse = Callable[[Source], Mapping[str, Any] | None]
"""Parses one file, with places; None where it is not Rego."""


def trees(opa: Path, sources: Sequence[Source], parse: Parse) -> dict[Source, Mapping[str, Any] | None]:
    """The tree of each source; None where it is not Rego. `parse` is asked where one run for all does not do."""
    many = list(filter(_is_usual, sources)) if len(sources) > FEW else []
    found = _known(opa, many) if many else {}
    return {source: _tree(source, found.get(source.name), parse) for source in sources}


def _is_usual(source: Source) -> bool:
    """Whether one run for all reads it as one for itself: as text without a mark, and without schemas in METADATA."""
    try:
        source.content.decode()
    except UnicodeDecodeError:
        return False
    return b"schemas" not in source.content and not source.content.startswith(codecs.BOM_UTF8)


def _tree(source: Source, tree: Mapping[str, Any] | None, parse: Parse) -> Mapping[str, Any] | None:
    return parse(source) if tree is None else placed(tree, lambda: parse(source) or {})


def _known(opa: Path, sources: Sequence[Source]) -> Mapping[str, Any]:
    with ThreadPoolExecutor(1) as beside:
        described = beside.submit(_is_described, opa, sources)
        found = _together(opa, sources)
        return found if described.result() else {}


def _is_described(opa: Path, sources: Sequence[Source]) -> bool:
    """Whether OPA can read the METADATA of all files."""
    if not (sources := [source for source in sources if b"METADATA" in source.content]):
        return True
    with staged([]) as folder:
        _pack(sources, folder / "bundle.tar.gz")
        return run(opa, "inspect", "--annotations", "--format", "json", "bundle.tar.gz", folder=folder).returncode == 0


def _pack(sources: Sequence[Source], target: Path) -> None:
    """Write a bundle: one file is written sooner than hundreds."""
    with tarfile.open(target, "w:gz", compresslevel=1) as bundle:
        for source in sources:
            entry = tarfile.TarInfo(source.name)
            entry.size = len(source.content)
            bundle.addfile(entry, io.BytesIO(source.content))


def _together(opa: Path, sources: Sequence[Source]) -> dict[str, Any]:
    """The trees by the names of the sources, without what cannot be parsed and without places."""
    texts = {source.name: source.content.decode() for source in sources}
    with staged([]) as folder:
        (folder / "input.json").write_bytes(orjson.dumps(texts))
        done = run(opa, "eval", "--input", "input.json", "--format", "raw", _QUERY, folder=folder)
    try:
        found: dict[str, Any] = orjson.loads(done.stdout)
    except ValueError as error:  # a number that only OPA can read: the run for its file says so
        if done.returncode:
            raise SetupError(f"`opa eval` failed: {done.stderr.decode(errors='replace').strip()}") from error
        return {}
    return found


def placed(tree: Any, located: Callable[[], Any], above: Callable[[], Any] | None = None) -> Any:
    """The tree itself, with a place at each node that has one in `located()`, which is asked once a place is read.

    What OPA adds to a head, such as the value of a rule without one, has none: it stands where the head does (`above`).
    """
    if isinstance(tree, dict):
        tree.pop("comments", None)
        tree.pop("annotations", None)
        for key, value in tree.items():
            if isinstance(value, _INNER):
                placed(value, _below(located, key), located)
        if not tree.keys().isdisjoint(_PLACED):
            tree["location"] = Place(located, above)
    else:
        for number, value in enumerate(tree):
            if isinstance(value, _INNER):
                placed(value, _below(located, number), located)
    return tree


def _below(located: Callable[[], Any], step: Any) -> Callable[[], Any]:
    return lambda: located()[step]


class Place:
    """Where a node stands, as OPA writes it: `file`, `row`, `col` and `text`. What walks a tree does not go into it."""

    def __init__(self, located: Callable[[], Any], above: Callable[[], Any] | None) -> None:
        self._located, self._above = located, above

    def __getitem__(self, key: str) -> Any:
        place = self._located().get("location")
        return (place if place is not None or self._above is None else self._above()["location"])[key]

    def get(self, key: str, otherwise: Any = None) -> Any:
        """A part of it, or `otherwise`."""
        try:
            return self[key]
        except KeyError:
            return otherwise
