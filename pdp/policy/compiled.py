"""What OPA itself says of the modules: that they do not compile, or are not formatted.

The author's modules are checked with the input's schema, and all modules together with the core, which reads names of
the input that no rule of an author may read. One run does both where no author's module can read such a name; where it
reports something, or where one can, two runs say what is wrong.
"""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.encoding import line_ends, mark
from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node
from pdp.policy.schema import Schema
from pdp.policy.sources import CORE, Source, labels, shown
from pdp.policy.stock import capabilities, forbidden, run

_OF_THE_CORE = f"undefined function data.{CORE}."
"""What OPA says of the core's functions where it checks the author's modules alone."""


def refused(
    opa: Path, modules: Sequence[Module], rego: Sequence[Source], request: Schema, folder: Path
) -> Iterator[Finding]:
    """A finding for each error of `opa check --strict` in `rego`, which lies in `folder`. `request` is of the input."""
    check = _Check(opa, folder)
    authored = [source for source in rego if source.label != CORE]
    known = frozenset(request.get("properties", ()))
    if len(modules) == len(rego) and all(_reads_only(module, known) for module in modules if _is_authored(module)):
        more: Schema = {name: {} for module in modules if not _is_authored(module) for name in _read(module)}
        if check.run(rego, {**request, "properties": {**more, **request["properties"]}}).returncode == 0:
            return
    for error in _errors(check.run(rego)):
        yield _finding(rego, error, forbidden(opa))
    for error in _errors(check.run(authored, request)) if authored else ():
        if not error["message"].startswith(_OF_THE_CORE):
            yield _finding(rego, error, forbidden(opa))


class _Check:
    """Runs `opa check --strict` in a folder."""

    def __init__(self, opa: Path, folder: Path) -> None:
        self._opa, self._folder = opa, folder
        self._allowed, self._shape = folder / "capabilities.json", folder / "input.json"
        self._allowed.write_bytes(orjson.dumps(capabilities(opa)))

    def run(self, sources: Sequence[Source], request: Schema | None = None) -> CompletedProcess[bytes]:
        """Check the sources, by the schema of the input if there is one."""
        options = ["--strict", "--format", "json", "--max-errors", "0", "--capabilities", str(self._allowed)]
        if request is not None:
            self._shape.write_bytes(orjson.dumps(request))
            options += ["--schema", str(self._shape)]
        return run(self._opa, "check", *options, *labels(sources), folder=self._folder)


def _is_authored(module: Module) -> bool:
    return module.source.label != CORE


def _read(module: Module) -> Iterator[str]:
    """The names of the input that a module reads, also by `object.get`."""
    for node in module.nodes:
        match node:
            case {"type": "ref", "value": [{"type": "var", "value": "input"}, {"type": "string", "value": name}, *_]}:
                yield name
            case {"terms": [got, {"value": [{"value": "input"}]}, key, _]} if _is_get(got):
                yield from _first(key)
            case {"type": "call", "value": [got, {"value": [{"value": "input"}]}, key, _]} if _is_get(got):
                yield from _first(key)


def _is_get(function: Node) -> bool:
    return [part["value"] for part in function["value"]] == ["object", "get"]


def _first(key: Node) -> Iterator[str]:
    match key:
        case {"type": "string", "value": name} | {"type": "array", "value": [{"type": "string", "value": name}, *_]}:
            yield name


def _reads_only(module: Module, known: Container[str]) -> bool:
    """Whether a module reads nothing of the input but these names: not the input as a whole, nor by an import."""
    if any(path[0] == "input" for name, path in module.names.items() if name != "input"):
        return False
    named = list(_read(module))
    return all(name in known for name in named) and len(named) == _often(module.nodes)


def _often(nodes: Sequence[Node]) -> int:
    """How often the input is named, but for `with input as`, which reads nothing."""
    replaced = {id(each["target"]["value"][0]) for node in nodes for each in node.get("with", ()) if _is_input(each)}
    return sum(node.get("type") == "var" and node["value"] == "input" and id(node) not in replaced for node in nodes)


def _is_input(replaced: Node) -> bool:
    target = replaced["target"]["value"]
    return len(target) == 1 and target[0]["value"] == "input"


def _errors(done: CompletedProcess[bytes]) -> list[dict[str, Any]]:
    if done.returncode == 0:
        return []
    try:
        errors: list[dict[str, Any]] = orjson.loads(done.stderr)["errors"]
    except (ValueError, KeyError) as error:
        raise SetupError(f"`opa check` failed: {done.stderr.decode(errors='replace').strip()}") from error
    return errors


def _finding(sources: Sequence[Source], error: dict[str, Any], off: Container[str]) -> Finding:
    place, message = error.get("location", {}), error["message"]
    rule, sentence = _meaning(message, off)
    return Finding(shown(sources, place.get("file", "")), place.get("row", 0), rule, sentence)


def _meaning(message: str, off: Container[str]) -> tuple[str, str]:
    """The rule of the check for OPA's message, and what to do."""
    if message.startswith("undefined ref: "):
        return "unknown-attribute", f"{message}; mend the name, or add it to the schema of its resource type or action"
    if message.startswith("package annotation redeclared"):
        return "package-metadata", "put METADATA above a rule; a package may have it only once in all its files"
    if (name := message.removeprefix("undefined function ")) in off:
        return "forbidden-builtin", f"remove `{name}`; `input.now` is the time, and rules have no network and no chance"
    return "does-not-compile", message


def unformatted(opa: Path, rego: Sequence[Source], folder: Path) -> Iterator[Finding]:
    """A finding for each module of an author in `folder` that `opa fmt` would write in another way."""
    authored = [source for source in rego if source.label != CORE]
    if not authored:
        return
    listed = set(run(opa, "fmt", "--list", *labels(authored), folder=folder).stdout.decode().splitlines())
    for source in authored:
        if source.name in listed:
            sentence = "run `opa fmt --write` on it"
            yield mark(source) or line_ends(source) or Finding(source.shown, 0, "unformatted", sentence)
