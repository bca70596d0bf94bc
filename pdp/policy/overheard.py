"""What the tests of a policy ask about: they run once on a core whose entrypoints print their input."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pdp.errors import SetupError
from pdp.policy.sources import CORE, Source, labels, staged
from pdp.policy.stock import run

_MARK = "placet was asked about: "
_PRINTING = {
    "decision.rego": "} if {\n\tdenials := [",
    "masks.rego": "} if {\n\tentries := [entry",
}
"""Where the body of an entrypoint begins, by the core's file: there it prints."""


class Overheard(NamedTuple):
    """A test, as `package.name`, and an input of `data.pdp.decision` or `data.pdp.masks`."""

    test: str
    input: Mapping[str, Any]


def overheard(opa: Path, sources: Sequence[Source]) -> list[Overheard]:
    """Every input that the authors' tests in `sources` ask about, failing tests among them, each input once.

    Raises `SetupError`, in OPA's own words, if the tests do not compile.
    """
    loaded = [_printing(source) for source in sources if source.is_rego or source.is_data]
    loaded = [source for source in loaded if not (source.label == CORE and source.is_test)]
    if not any(source.is_test for source in loaded):
        return []
    with staged(loaded) as folder:
        # Without -v: the output is there all the same, and 80 tests have 50 MB of traces with it.
        done = run(opa, "test", "--format", "json", *labels(loaded), folder=folder)
    try:
        results = orjson.loads(done.stdout)
    except ValueError as error:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise SetupError(f"`opa test` failed: {said}") from error
    found = {orjson.dumps(one.input, option=orjson.OPT_SORT_KEYS): one for one in _inputs(results)}
    return sorted(found.values(), key=lambda one: one.test)


def _printing(source: Source) -> Source:
    """The core's file with its print; every other one as it is."""
    before = _PRINTING.get(source.path.name) if source.label == CORE else None
    if before is None:
        return source
    text = source.content.decode()
    if text.count(before) != 1:
        raise SetupError(f"{source.shown} is not the core of this release; install it again")
    head, _, body = before.partition("\n")
    printed = f'{head}\n\tprint("{_MARK}", json.marshal(input))\n{body}'
    return replace(source, content=text.replace(before, printed).encode())


def _inputs(results: Sequence[Mapping[str, Any]]) -> Iterator[Overheard]:
    for result in sorted(results, key=lambda one: (one["package"], one["name"]), reverse=True):
        test = f"{result['package'].removeprefix('data.')}.{result['name']}"
        for line in base64.b64decode(result.get("output") or "").decode(errors="replace").splitlines():
            if line.startswith(_MARK):
                yield from _parsed(test, line.removeprefix(_MARK))


def _parsed(test: str, printed: str) -> Iterator[Overheard]:
    """What was printed; a test without an input printed `<undefined>`."""
    try:
        found = orjson.loads(printed)
    except ValueError:
        return
    if isinstance(found, dict):
        yield Overheard(test, found)
