"""Finds values of callers in places where a wrong type passes for an answer or makes a rule vanish.

1. What stands in such a place is known to be of one fitting kind: by the contract, by a schema, or by a question such
   as `is_number(x)` where that cannot silence a rule that restricts. Otherwise the policy is refused.
2. Values that no caller sends, such as data of two kinds, are warned of where they are compared by order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.finding import Finding
from pdp.policy.inference import Inference
from pdp.policy.module import Module, Node
from pdp.policy.needs import GUARDS, ITERATED, NEEDS, ORDERED, ORDERINGS, PARTS, STATED, Need
from pdp.policy.pasted import Paste, split
from pdp.policy.schema import Schema, Schemas
from pdp.policy.shape import FROM, MADE, kinds, senders, unlike

Places: TypeAlias = set[tuple[str | None, ...]]
"""Where in a request values stand."""


class Use(NamedTuple):
    """A term in a place where its kind matters, the node at whose line it stands, and what the place is called."""

    node: Node
    term: Node
    need: Need
    place: str


class Untyped(NamedTuple):
    """A use of a value that may be of a wrong kind, or that is fit."""

    branch: Branch
    use: Use
    shape: Schema
    is_fit: bool = False


class Typing:
    """What is known of all values of a policy, and what of it is not enough."""

    def __init__(
        self,
        everything: Sequence[Module],
        data: Mapping[str, Any],
        schemas: Schemas,
        builtins: Sequence[Mapping[str, Any]],
    ) -> None:
        self.inference = Inference(everything, data, schemas, builtins)
        self.schemas = schemas
        self.is_listed = any(schemas)
        self.origins: dict[tuple[int, int], tuple[Node, Places]] = {}
        self.comparisons: list[Any] = []
        self.paste = Paste(self.inference, schemas, everything)
        self._used = [
            found
            for branch in self.inference.branches
            if branch.is_authored and self.inference.reach.signs(branch)
            for found in self._of(branch)
        ]

    def refused(self) -> Iterator[Finding]:
        """A finding for each value of a caller that may be of a wrong kind."""
        sent = [each for each in self._used if senders(each.shape)]
        unfit = [each for each in sent if not each.is_fit]
        for each in sorted(sent if unfit else (), key=lambda each: not each.is_fit):
            self.paste.want(each.branch, each.shape, each.use.need.kinds)
        for each in unfit:
            yield each.branch.module.finding(each.use.node, "untyped-attribute", self._sentence(each))

    def warned(self) -> Iterator[Finding]:
        """A finding for each comparison of other values that are not surely of one kind."""
        for branch, use, shape, is_fit in self._used:
            if not is_fit and not senders(shape) and use.place in ORDERINGS.values():
                yield branch.module.finding(use.node, "untyped-comparison", _warning(use, shape))

    def _of(self, branch: Branch) -> Iterator[Untyped]:
        """Every use of a value in a branch."""
        for use in (*uses(branch), *_statements(branch)):
            shape = self.inference.shape(branch, use.term)
            yield Untyped(branch, use, shape, _fits(shape, use.need))
        for node, sign, sides in _orderings(branch):
            yield from self._unlike(branch, node, sign, sides)

    def _unlike(self, branch: Branch, node: Node, sign: str, sides: Sequence[Node]) -> Iterator[Untyped]:
        """The sides of a comparison, and whether they are surely of the other's kind."""
        shapes = [self.inference.shape(branch, side) for side in sides]
        left, right = map(kinds, shapes)
        if len(left) == 1 and left == right:
            for side, shape in zip(sides, shapes, strict=True):
                yield Untyped(branch, Use(node, side, Need(tuple(left), ORDERED.why), sign), shape, is_fit=True)
            yield from self._parts(branch, node, sign, sides)
            return
        for side, shape, other in ((sides[0], shapes[0], right), (sides[1], shapes[1], left)):
            need = Need(tuple(other) if len(other) == 1 else ("number",), ORDERED.why)
            found = kinds(shape)
            if (found != set(need.kinds)) if senders(shape) else len(found) != 1:
                yield Untyped(branch, Use(node, side, need, sign), shape)
        if len(left) == len(right) == 1 and not any(map(senders, shapes)):
            yield Untyped(branch, Use(node, sides[0], Need(tuple(right), ORDERED.why), sign), shapes[0])

    def _parts(self, branch: Branch, node: Node, sign: str, sides: Sequence[Node]) -> Iterator[Untyped]:
        """What stands in lists and objects that are compared. Parts that both sides write out are compared by pairs."""
        left, right = map(branch.expanded, sides)
        if (pairs := _pairs(left, right)) is not None:
            for pair in pairs:
                yield from self._unlike(branch, node, sign, pair)
            return
        shapes = [self.inference.shape(branch, side) for side in sides]
        for parts in unlike(shapes[0], shapes[1]):
            for side, part, other in zip(sides, parts, parts[::-1], strict=True):
                wanted = kinds(other) if len(kinds(other)) == 1 else ("number",)
                if senders(part) and (len(kinds(part)) != 1 or kinds(other) == wanted):
                    yield Untyped(branch, Use(node, side, Need(tuple(wanted), PARTS), sign), part)

    def _sentence(self, found: Untyped) -> str:
        name, wanted = shown(found.use.term), found.use.need.kinds[0]
        if found.use.need is STATED and len(of := kinds(found.shape)) == 1:
            return f"`{name}` is of type {min(of)}, whose every value makes it true, an empty one, too; compare it"
        if all(kinds(sent) == {wanted} for sent in senders(found.shape)):
            return f"`{name}` has a default that is not a {wanted}; give it one that is, or null, and say `!= null`"
        beginning = f"`{name}` may be of any type here: {found.use.need.why.format(found.use.place)}"
        if MADE in senders(found.shape)[0]:
            return f"{beginning}; read it from the request, where a schema can type it"
        guard = next(question for question, kind in GUARDS.items() if kind == wanted)
        safe = self.inference.reach.takes_guards(found.branch)
        ask = f"ask `{guard}({name})` in this rule, or " if safe else ""
        end = self.paste.sentence(found.branch, found.shape, found.use.need.kinds)
        return f"{beginning}; {ask}{end or f'compare a {wanted}'}"


def _pairs(left: Node, right: Node) -> Sequence[Sequence[Node]] | None:
    """The parts of two lists or objects of the same names that are written out, side by side."""
    match left, right:
        case {"type": "array", "value": ones}, {"type": "array", "value": others}:
            return list(zip(ones, others, strict=False))
        case {"type": "object", "value": ones}, {"type": "object", "value": others}:
            if [key["value"] for key, _ in ones] == [key["value"] for key, _ in others]:
                return [(one, other) for (_, one), (_, other) in zip(ones, others, strict=True)]
    return None


def _fits(shape: Schema, need: Need) -> bool:
    found = kinds(shape)
    if not senders(shape):
        return True
    if need is STATED and found and not any(split(sent[FROM])[0] for sent in senders(shape)):
        return True  # the contract says of which kind it is, and every request has it
    return bool(found) and found <= set(need.kinds) and (len(found) == 1 or not need.one)


def uses(branch: Branch) -> Iterator[Use]:
    """Every place of a branch where a value's kind matters, but for comparisons by order."""
    for node, _, name, arguments in branch.calls:
        for at, argument in enumerate(arguments):
            if (need := NEEDS.get((name, at))) and name not in ORDERINGS:
                yield Use(_located(node, branch), argument, need, _PLACES.get(name, name))
    for node in branch.nodes:
        match node.get("terms"):
            case {"domain": dict(domain), "body": _}:
                yield Use(_located(node, branch), domain, ITERATED, "every")
    for node in branch.references:
        for at, part in enumerate(node["value"][1:], 1):
            if part["type"] == "var" and part["value"] in branch.iterated:
                yield Use(_located(node, branch), until(node, at), ITERATED, f"[{shown(part)}]")


def stated(branch: Branch) -> Iterator[Node]:
    """Every statement of a branch, at any depth. What a template prints is none."""
    found = list(branch.nodes)
    printed = {id(part) for node in found if node.get("type") == "templatestring" for part in node["value"]["parts"]}
    yield from (node for node in found if node.get("terms") is not None and id(node) not in printed)


def _statements(branch: Branch) -> Iterator[Use]:
    """Every statement that is only a value, or denies one."""
    for node in stated(branch):
        function, _ = call(node)
        match node["terms"]:
            case dict(value) if value.get("type") in {"ref", "var"}:
                yield Use(_located(node, branch), value, STATED, "")
            case list(parts) if dotted(function) == "object.get" or branch.calls_a_rule(function):
                yield Use(_located(node, branch), {"type": "call", "value": parts}, STATED, "")


_PLACES = {"internal.member_2": "in", "internal.member_3": "in"}


def _orderings(branch: Branch) -> Iterator[tuple[Node, str, Sequence[Node]]]:
    """Each comparison: the node at which it stands, its sign, and its two sides."""
    for node, _, name, arguments in branch.calls:
        if name in ORDERINGS:
            yield _located(node, branch), ORDERINGS[name], arguments[:2]


def _located(node: Node, branch: Branch) -> Node:
    return node if "location" in node else branch.rule


def _warning(use: Use, shape: Schema) -> str:
    name, found, wanted = shown(use.term), kinds(shape), use.need.kinds[0]
    if len(found) == 1:
        (kind,) = found
        return (
            f"`{use.place}` compares a {kind} with a {wanted}, which is always the same answer; compare {wanted}s with "
            f"{wanted}s"
        )
    return (
        f'`{name}` may be of any type here, and every text is greater than every number: so "5" > 1000; ask '
        f"`is_{wanted}({name})` before `{use.place}`"
    )


def shown(term: Node) -> str:
    """A term as its author may have written it."""
    match term:
        case {"type": "ref" | "call", "value": [head, *rest]}:
            name = shown(head)
            if term["type"] == "call":
                return f"{name}({', '.join(shown(each) for each in rest)})"
            return name + "".join(
                f".{part['value']}" if part["type"] == "string" else f"[{shown(part)}]" for part in rest
            )
        case {"type": "string", "value": str(text)}:
            return f'"{text}"'
        case {"type": "array" | "set" as kind, "value": [_, *_] as items}:
            inner = ", ".join(map(shown, items))
            return f"[{inner}]" if kind == "array" else f"{{{inner}}}"
        case {"value": str() | int() | float() as value}:
            return "_" if str(value).startswith("$") else str(value)
    return "…"
