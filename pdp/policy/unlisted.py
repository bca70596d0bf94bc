"""Finds reads of attributes that no schema lists: such a value is always absent, and what reads it never fires.

OPA's type check finds those that a rule reads directly; this follows variables, helpers and their arguments, and
`object.get` and its like. A step that is known only after evaluation is refused where names are listed.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from pdp.policy.branch import KEY, Branch, Step
from pdp.policy.finding import Finding
from pdp.policy.inference import into, step
from pdp.policy.module import Module, Node
from pdp.policy.schema import Schema
from pdp.policy.shape import FROM, MADE, kinds
from pdp.policy.untyped import Typing, shown

_READERS = {"object.get", "json.filter", "object.filter", "object.subset"}
"""Builtins that read members of their first argument, which the second names."""
_EQUALITIES = {"equal", "eq", "neq"}
_DOMAINS = {
    "internal.member_2": 1,
    "internal.member_3": 2,
    "walk": 0,
    "object.keys": 0,
    "json.marshal": 0,
    "json.marshal_with_options": 0,
    "yaml.marshal": 0,
}
"""Builtins that go through all members of an argument. `every` does, too, but of listed ones alone."""


def unlisted(typing: Typing) -> Iterator[Finding]:
    """A finding for each step to an attribute that no schema lists, or that may lead to one."""
    found = []
    for branch in typing.inference.branches:
        if branch.is_authored:
            found += [each for each in _read(typing, branch) if each[-1] == "unlisted" or typing.is_listed]
    for branch, _, above, each, fault in found:
        if fault == "unlisted":
            typing.paste.want(branch, into(above, [each]), ())
    for branch, node, above, each, fault in found:
        yield branch.module.finding(node, "unknown-attribute", _sentence(typing, branch, above, each, fault))


def replaced(typing: Typing) -> Iterator[Finding]:
    """A finding for each `with` in a rule that decides: what the replaced rule reads there has no type, and no name."""
    for branch in typing.inference.branches:
        if not branch.is_authored or not typing.inference.reach.signs(branch):
            continue
        for node in branch.nodes:
            for each in node.get("with", ()):
                where = node if "location" in node else branch.rule
                sentence = (
                    f"`with` replaces `{shown(each['target'])}`, so that what schemas and data say of it does not hold "
                    "there; give the value to a function as an argument, and keep `with` for tests"
                )
                yield branch.module.finding(where, "replaced-value", sentence)


def annotated(module: Module) -> Iterator[Finding]:
    """A finding for each annotation that puts other schemas in place of the policy's."""
    for annotation in module.tree.get("annotations", ()):
        if annotation.get("schemas"):
            sentence = "remove `schemas` from METADATA: it would hide the request's own schemas from the check"
            yield module.finding(annotation, "schema-annotation", sentence)


Read = tuple[Branch, Node, Schema, Step, str]
"""A step of a branch: its node, the shape above it, the step, and what is wrong with it."""


def _read(typing: Typing, branch: Branch) -> Iterator[Read]:
    shape = typing.inference.shape
    for node in branch.references:
        head, *parts = node["value"]
        where = node if "location" in node else branch.rule
        yield from _along(branch, where, shape(branch, head), [step(branch, part) for part in parts])
    for node, _, name, arguments in branch.calls:
        where = node if "location" in node else branch.rule
        if name in _READERS:
            for keys in _keys(branch, name, arguments[1]):
                yield from _along(branch, where, shape(branch, arguments[0]), keys)
        for side, key in _likened(branch, name, arguments):
            yield from _along(branch, where, shape(branch, side), [key])
        if name in _DOMAINS:
            yield from _along(branch, where, shape(branch, arguments[_DOMAINS[name]]), [None])


def _likened(branch: Branch, name: str, arguments: Sequence[Node]) -> Iterator[tuple[Node, Step]]:
    """The values that are compared with an object that is written out, each with every name of that."""
    for side, other in zip(arguments, reversed(arguments), strict=True) if name in _EQUALITIES else ():
        known = branch.expanded(other)
        for key, _ in known["value"] if known["type"] == "object" else ():
            yield side, step(branch, key)


def _along(branch: Branch, where: Node, above: Schema, steps: Sequence[Step]) -> Iterator[Read]:
    for each in steps:
        if fault := _fault(above, each):
            yield branch, where, above, each, fault
            return
        above = into(above, [each])


def _keys(branch: Branch, reader: str, term: Node) -> list[list[Step]]:
    """The paths that a reader's argument names: `object.get` takes one path, the others a list of them."""
    known = branch.expanded(term)
    if known["type"] == "object" and reader == "object.subset":
        return [[step(branch, key)] for key, _ in known["value"]]
    if known["type"] not in {"array", "set"}:
        return [[step(branch, known)]]
    if reader == "object.get":
        return [[step(branch, each) for each in known["value"]]]
    return [_path(branch, each) for each in known["value"]]


def _path(branch: Branch, term: Node) -> list[Step]:
    known = branch.expanded(term)
    if known["type"] == "array":
        return [step(branch, each) for each in known["value"]]
    found = step(branch, known)
    return [*found.split("/")] if isinstance(found, str) else [found]


def _fault(shape: Schema, each: Step) -> str:
    """What is wrong with a step into a value of this shape, if a caller sends the value."""
    if FROM not in shape:
        return next((fault for choice in shape.get("anyOf", ()) if (fault := _fault(choice, each))), "")
    if MADE in shape:
        return "made" if shape[MADE] and isinstance(each, str) else ""
    choices = shape.get("anyOf", [shape])
    if any(_admits(choice, each) for choice in choices):
        return ""
    return "unlisted" if isinstance(each, str) else "computed"


def _admits(shape: Schema, each: Step) -> bool:
    """Whether a value of this shape may have something at a step that its schema lists."""
    if "anyOf" in shape:
        return any(_admits(choice, each) for choice in shape["anyOf"])
    found = kinds(shape)
    if "object" not in found:
        return not isinstance(each, str) or not found or each == KEY
    is_open = shape.get("additionalProperties", "properties" not in shape) is not False
    return is_open or each in shape.get("properties", {})


def _sentence(typing: Typing, branch: Branch, above: Schema, each: Step, fault: str) -> str:
    name = _name(above)
    if fault == "made":
        return f"read `{each}` from `{name}` itself: here a name that no schema lists would be read as absent"
    if fault == "computed":
        return f"write out which member of `{name}` is read: a name that no schema lists would be read as absent"
    listed: list[Any] = sorted({key for choice in above.get("anyOf", [above]) for key in choice.get("properties", {})})
    near = difflib.get_close_matches(str(each), listed, n=1)
    meant = f"is it `{near[0]}`? If not, " if near else ""
    ends = typing.paste.sentence(branch, into(above, [each])) or "mend the name"
    return f"no request has `{name}.{each}`; {meant}{ends}"


def _name(shape: Schema) -> str:
    """Where a value of a caller stands in the request."""
    path = (
        shape[FROM]
        if FROM in shape
        else next((choice[FROM] for choice in shape.get("anyOf", ()) if FROM in choice), ())
    )
    return "".join(f".{each}" if isinstance(each, str) else "[_]" for each in path).removeprefix(".")
