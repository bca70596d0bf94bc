"""Finds `<` and `>` over values of unknown type: in Rego any text is greater than any number, so "5" > 1000 is true."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pdp.policy.finding import Finding
from pdp.policy.inference import Inference, Place
from pdp.policy.module import Module, Node, nodes
from pdp.policy.schema import Schemas
from pdp.policy.shape import kinds, of_builtin

ORDERINGS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">="}


def untyped(
    everything: Sequence[Module], data: Mapping[str, Any], schemas: Schemas, capabilities: Mapping[str, Any]
) -> Iterator[Finding]:
    """A warning for each comparison in an author's rules whose sides are not surely of one kind."""
    returned = {one["name"]: of_builtin(one["decl"].get("result", {})) for one in capabilities["builtins"]}
    inference = Inference(everything, data, schemas, returned)
    for module in everything:
        for rule in module.rules if not module.source.is_test else ():
            for node, name, sides in _orderings(rule):
                found = [kinds(inference.shape(Place(module, rule), side)) for side in sides]
                if not _fits(*found):
                    yield module.finding(node, "untyped-comparison", _sentence(ORDERINGS[name], sides, found))


def _orderings(rule: Node) -> Iterator[tuple[Node, str, Sequence[Node]]]:
    """Each comparison: the node at which it stands, its builtin, and its two sides."""
    for node in nodes(rule):
        match node.get("terms", node.get("value")):
            case [{"type": "ref", "value": [{"value": str(name)}]}, left, right] if name in ORDERINGS:
                yield (node if "location" in node else rule), name, (left, right)


def _fits(left: frozenset[str], right: frozenset[str]) -> bool:
    return len(left) == 1 and left == right


def _sentence(sign: str, sides: Sequence[Node], found: Sequence[frozenset[str]]) -> str:
    unknown = [side for side, kind in zip(sides, found, strict=True) if len(kind) != 1]
    if not unknown:
        left, right = (next(iter(kind)) for kind in found)
        return (
            f"`{sign}` compares a {left} with a {right}, which is always the same answer; compare numbers with numbers"
        )
    name = _shown(unknown[0])
    return (
        f'`{name}` may be of any type here, and every text is greater than every number: so "5" > 1000; type it in a '
        f"schema, or ask `is_number({name})` before `{sign}`"
    )


def _shown(term: Node) -> str:
    match term:
        case {"type": "ref" | "call", "value": [head, *rest]}:
            name = _shown(head)
            if term["type"] == "call":
                return f"{name}({', '.join(_shown(each) for each in rest)})"
            return name + "".join(
                f".{step['value']}" if step["type"] == "string" else f"[{_shown(step)}]" for step in rest
            )
        case {"type": "string", "value": str(text)}:
            return f'"{text}"'
        case {"value": str() | int() | float() as value}:
            return "_" if str(value).startswith("$") else str(value)
    return "…"
