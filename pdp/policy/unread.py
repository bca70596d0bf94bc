"""Finds names in data that no rule reads to the end, and steps into data that data does not have.

A name that nothing reads is a misspelt one, or it lies in the wrong folder: a list of the blocked that blocks nobody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pdp.policy.data import RESERVED
from pdp.policy.finding import Finding
from pdp.policy.module import Module
from pdp.policy.near import near
from pdp.policy.reading import Read, Steps, asked, reads
from pdp.policy.reference import Path, written
from pdp.policy.sources import Source
from pdp.policy.vocabulary import NAMES, READ_BY_RULES

MOST = 20
"""Findings for one file. More would hide the others."""
REMARKS = {"_comment", "$schema", "description"}
"""Names at the top of a data file that speak to people and editors, and that nobody need read."""
_READ_ELSEWHERE = (NAMES.keys() - READ_BY_RULES) | set(RESERVED)
"""Names that need no rule that reads them."""
_KINDS = {str: "a text", bool: "true or false", type(None): "null", list: "a list"}


def unread(documents: Iterable[tuple[Source, Mapping[str, Any]]], modules: Iterable[Module]) -> Iterator[Finding]:
    """A finding for each name in data that no rule outside tests reads to its end, or is named in `data.unread`."""
    found = {read.steps for module in modules if not module.source.is_test for read in reads(module)}
    documents = list(documents)
    left_out = frozenset(name for _, document in documents for name in document.get("unread", ()))
    for source, document in documents:
        kept = {name: value for name, value in document.items() if name not in _READ_ELSEWHERE}
        kept = _without_remarks(kept, source.path.parent.parts)
        for path, sentence in islice(_unread(kept, list(found), (), left_out), MOST):
            yield Finding(source.shown, _line(source, path), "unread-data", sentence)
    for name in sorted(left_out):
        if not any(_names(document, name) for _, document in documents):
            holder = next(source for source, document in documents if name in document.get("unread", ()))
            sentence = f"`data.unread` names `{name}`, which data does not have; remove it"
            yield Finding(holder.shown, 0, "unread-data", sentence)


def _without_remarks(document: Mapping[str, Any], folder: Sequence[str]) -> dict[str, Any]:
    """A document, nested as its folder is, without what its file's top says to people."""
    if folder:
        return {name: _without_remarks(inner, folder[1:]) for name, inner in document.items()}
    return {name: value for name, value in document.items() if name not in REMARKS}


def _unread(node: Any, left: Sequence[Steps], path: Steps, left_out: frozenset[str]) -> Iterator[tuple[Steps, str]]:
    """Each name below `node` that is not read. `left` are the steps that rules still take from here."""
    if () in left or ".".join(map(str, path)) in left_out:
        return
    if not isinstance(node, dict | list):
        yield path, _sentence(path, f"is {_KINDS.get(type(node), 'a number')}, and rules read what is in it")
    elif (None,) in left:
        return
    elif isinstance(node, list):
        inner = [steps[1:] for steps in left if steps[0] is None]
        found = (each for item in node for each in _unread(item, inner, path, left_out))
        yield from ({sentence: (where, sentence) for where, sentence in found} if inner else {}).values()
        if node and not inner:
            yield path, _sentence(path, "is a list, and rules read a name in it")
    else:
        for name, value in node.items():
            inner = [steps[1:] for steps in left if steps[0] in {None, name}]
            if inner or ".".join(map(str, (*path, name))) in left_out:
                yield from _unread(value, inner, (*path, name), left_out)
            else:
                yield (*path, name), _unknown(node, name, left, path)


def _unknown(node: Mapping[str, Any], name: str, left: Iterable[Steps], path: Steps) -> str:
    """The sentence for a name that no rule reads."""
    whole = f"`data.{'.'.join(map(str, (*path, name)))}`"
    read = {step for steps in left if isinstance(step := steps[0], str)} - node.keys()
    deep = {name} & NAMES.keys() if path else NAMES.keys() & (node[name] if isinstance(node[name], dict) else {}).keys()
    if deep:
        return f"no rule reads {whole}; `{min(deep)}` counts only at the top, so move it to data.json of the policy"
    close = near(name, read if path else read | NAMES.keys())
    meant = f"is `{close}` meant? " if close else ""
    return f"no rule reads {whole}; {meant}rename it, read it, remove it, or name it in `data.unread`"


def _sentence(path: Steps, what: str) -> str:
    return f"`data.{'.'.join(map(str, path))}` {what}; write what the rules expect"


def _names(document: Any, name: str) -> bool:
    """Whether a document has a name, which is keys with dots between them."""
    return isinstance(document, dict) and any(
        name == key or (name.startswith(f"{key}.") and _names(value, name[len(key) + 1 :]))
        for key, value in document.items()
    )


def _line(source: Source, path: Steps) -> int:
    """The line of a name, if the file has it once; 0 is the whole file."""
    parts = source.content.split(str(path[-1]).encode()) if path else []
    return parts[0].count(b"\n") + 1 if len(parts) == 2 else 0  # noqa: PLR2004  # before it and after it


def missing(module: Module, rules: Iterable[Path], data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each step into data that data does not have; `unknown_data` finds the first steps."""
    for read in reads(module):
        if read.steps and read.steps[0] in data and not read.is_open and not _is_rule(read, rules):
            known, lacking = _followed(data, read.steps)
            if lacking is not None:
                name = ".".join(str(step or "*") for step in lacking)
                close = near(str(lacking[-1]), known)
                meant = f"is `{close}` meant? " if close else ""
                sentence = f"no rule and no data is called `data.{name}`; {meant}mend the name, or add what it names"
                yield module.finding(read.node, "unknown-reference", sentence)


def members(module: Module, data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each `in` that asks values of an object for a text, where only its names are texts."""
    for node, left, steps in asked(module):
        held: Any = data
        for step in steps:
            held = held.get(step) if isinstance(held, dict) else None
        is_text = left["type"] == "string" or written(module, left)[:1] == ("input",)
        if isinstance(held, dict) and held and is_text and not any(map(_may_be_id, held.values())):
            name = f"data.{'.'.join(map(str, steps))}"
            sentence = f"`in` asks the values of `{name}`, which are not texts; write a list, or ask `{name}[x]`"
            yield module.finding(node, "never-in", sentence)


def _may_be_id(value: Any) -> bool:
    """Whether a value may be what an identity, a type or a name is: a text of one word. A number is compared, too."""
    return not isinstance(value, bool | dict) and not (isinstance(value, str) and len(value.split()) > 1)


def _is_rule(read: Read, rules: Iterable[Path]) -> bool:
    path = ("data", *read.steps)
    return any(path[: len(rule)] == rule[: len(path)] for rule in rules)


def _followed(node: Any, steps: Steps) -> tuple[Iterable[str], Steps | None]:
    """The names beside the first step that leads nowhere, and the path up to it; `None` if all lead somewhere."""
    if not steps or not isinstance(node, dict | list) or not node:
        return (), None
    first, *rest = steps
    if first is None:
        return _of_any(node.values() if isinstance(node, dict) else node, tuple(rest))
    if isinstance(node, list) or first not in node:
        return (() if isinstance(node, list) else node), (first,)
    known, lacking = _followed(node[first], tuple(rest))
    return known, None if lacking is None else (first, *lacking)


def _of_any(nodes: Iterable[Any], steps: Steps) -> tuple[Iterable[str], Steps | None]:
    """As `_followed`, of nodes of which one must have the steps."""
    known: Iterable[str] = ()
    lacking: Steps | None = None
    for node in nodes:
        known, lacking = _followed(node, steps)
        if lacking is None:
            return (), None
    return known, None if lacking is None else (None, *lacking)
