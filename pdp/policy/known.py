"""What the entries of a rule may be, as far as the policy and its data write it out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.policy.entry import COMPUTED, literal
from pdp.policy.module import Module, Node
from pdp.policy.reference import Definitions, resolved

_DEEPEST = 8
"""Steps from a term to what it stands for. It ends rules and variables that lead to each other in a circle."""
_ONE_OF = {"mask", "domain"}
"""An entry has one of these keys, so one that has the other lacks it."""


class Home(NamedTuple):
    """Where a term stands: its module and the statements beside it."""

    module: Module
    body: Sequence[Node]


class Values:
    """Tells the values of terms."""

    def __init__(self, rules: Definitions, data: Mapping[str, Any]) -> None:
        self._rules, self._data = rules, data

    def entries(self, module: Module, rule: Node) -> list[Any]:
        """Each entry that a rule may add; `COMPUTED` stands for what is not written out."""
        home, key = Home(module, rule.get("body", ())), rule["head"]["key"]
        for domain in _domains(home, key):
            found = self._value(home, domain, _DEEPEST)
            each = list(found.values()) if isinstance(found, dict) else found
            return each if isinstance(each, list) else [COMPUTED]
        return [self._value(home, key, _DEEPEST)]

    def _value(self, home: Home, term: Node, left: int) -> Any:
        match term if left else {}:
            case {"type": "var", "value": str(name)} if assigned := list(_assigned(home, name)):
                return self._value(home, assigned[0], left - 1) if len(assigned) == 1 else COMPUTED
            case {"type": "var"}:
                return self._document(home, [term], left)
            case {"type": "ref", "value": list(parts)}:
                return self._document(home, parts, left)
            case {"type": str()}:
                return self._written(home, term, left)
        return COMPUTED

    def _written(self, home: Home, term: Node, left: int) -> Any:
        match term:
            case {"type": "array" | "set", "value": list(items)}:
                return [self._value(home, item, left - 1) for item in items]
            case {"type": "object", "value": list(pairs)}:
                found = {_text(literal(key)): self._value(home, value, left - 1) for key, value in pairs}
                return COMPUTED if None in found else found
            case {"type": "call", "value": [{"value": [{"value": "object"}, {"value": "union"}]}, one, other]}:
                return _united(self._value(home, one, left - 1), self._value(home, other, left - 1))
        return literal(term)

    def _document(self, home: Home, parts: Sequence[Node], left: int) -> Any:
        path, covered = resolved(home.module, parts, self._rules)
        if path[:1] != ("data",) or covered < len(parts):
            return COMPUTED
        if path in self._rules:
            (module, rule), *more = self._rules[path]
            is_one = not more and "value" in rule["head"] and not rule.get("else") and not rule["head"].get("args")
            whole = is_one and len(rule["head"]["ref"]) == 1
            return (
                self._value(Home(module, rule.get("body", ())), rule["head"]["value"], left - 1) if whole else COMPUTED
            )
        document: Any = self._data
        for step in path[1:]:
            document = document.get(step, COMPUTED) if isinstance(document, dict) else COMPUTED
        return document


def _text(key: Any) -> str | None:
    return key if isinstance(key, str) else None


def _united(one: Any, other: Any) -> Any:
    """What `object.union` makes. A key that only an unknown object may have is unknown."""
    if not isinstance(other, dict):
        return COMPUTED
    unknown = {"columns", "tags"} | (_ONE_OF if not _ONE_OF & other.keys() else set())
    return {**(one if isinstance(one, dict) else dict.fromkeys(unknown, COMPUTED)), **other}


def _assigned(home: Home, name: str) -> Iterator[Node]:
    """The terms that the body assigns to a name."""
    for statement in home.body:
        match statement["terms"]:
            case [{"value": [{"value": "assign" | "eq"}]}, {"type": "var", "value": str(left)}, term] if left == name:
                yield term


def _domains(home: Home, key: Node) -> Iterator[Node]:
    """What the body goes through to find an entry."""
    for statement in home.body if key["type"] == "var" else ():
        match statement["terms"]:
            case {"symbols": [{"type": "call", "value": [_, *_, {"value": name}, domain]}]} if name == key["value"]:
                yield domain
