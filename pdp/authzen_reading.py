"""The walk over AuthZEN's envelope: what each member may be, and the path of what is not."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from pdp.authzen_question import EXAMPLES, OPEN_APPROVAL, Options, Part
from pdp.bad_fields import MAX_NAMED, Refused, joined, step
from pdp.canonical import MAX_REQUEST_BYTES, Walk
from pdp.i_json import MAX_WHOLE_NUMBER, well_formed
from pdp.v1.decision_pb2 import BatchSemantics

OF_ONE = ("request_id", "attempt_id", "expected_digest", "supersedes")
"""The options that belong to one question. They are refused as defaults."""
SEMANTICS: Mapping[str, BatchSemantics] = {
    "execute_all": BatchSemantics.BATCH_SEMANTICS_EXECUTE_ALL,
    "deny_on_first_deny": BatchSemantics.BATCH_SEMANTICS_DENY_ON_FIRST_DENY,
    "permit_on_first_permit": BatchSemantics.BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT,
}
"""The values of `evaluations_semantic`, the one option that AuthZEN names."""
MAX_UNKNOWN = 64
"""Members of one object that nobody here knows. AuthZEN wants them ignored; no honest client sends thousands."""
_TEXTS = frozenset({*OF_ONE, "justification"})
_FLAGS = frozenset({"dry_run", "explain", "want_grant", OPEN_APPROVAL})
_AT_LEAST = "lineage_at_least"
_OPTIONS = _TEXTS | _FLAGS | {"on_behalf_of", "evaluations_semantic", _AT_LEAST}
NAMES: Mapping[str, str] = {"subject": "id", "resource": "id", "action": "name"}
"""What each member that a search can look for is called by."""
_MEANT: Mapping[str, str] = {"on_behalf_of": "subject"}
_SUBJECT = frozenset({"type", "id", "properties"})
_ACTION = frozenset({"name", "properties"})
_NO_TEXT = "is not a text; send a string"
_NO_TEXTS = 'is not a list of texts; send one, such as ["custom"]'
_TWICE = "stands in its object twice; of the two one reader keeps the first, another the last"

_Read: TypeAlias = tuple[Any, Mapping[str, Any]]
"""A part's members, and what else `Part` is to hold of it."""


class Reading(Walk):
    """Reads members of an envelope. `bad` and `ignored` gather what is found in all of them."""

    def __init__(self, options: Collection[str] = ()) -> None:
        """`options` are those that a route knows beyond the ones of a question."""
        super().__init__()
        self.ignored: list[str] = []
        self._others = frozenset(options)

    def members(self, value: Any, path: str, known: Collection[str], *, strict: bool = False) -> dict[str, Any]:
        """The known members of an object, as they came.

        The others are read, and their paths are kept in `ignored`; where it is `strict`, they are refused. Raises
        `InvalidRequest` at the first member after which an error would name no more.
        """
        if not isinstance(value, tuple):
            self.bad.append((path, _no_object(path)))
            return {}
        found, others = dict[str, Any](), set[str]()
        for key, inner in value:
            if key in known and key not in found:
                found[key] = inner
                continue
            at = joined(path, step(key))
            if key in found or key in others:
                self.bad.append((at, _TWICE))
            else:
                others.add(key)
                self._unknown(key, inner, at, strict=strict)
            self._require_sense(len(others), path)
        return found

    def part(self, name: str, value: Any, *, is_sought: bool = False) -> Part:
        """A member of a question. One that `is_sought` is what a search looks for: it has a type, and no name yet."""
        reading = Reading()
        members, spoken = reading.sought(name, value) if is_sought else PARTS[name](reading, value, name)
        self.bad += reading.bad
        return reading.held(members, **spoken)

    def sought(self, name: str, value: Any) -> _Read:
        """A member of which only the type and the properties are known. A name that it has is ignored, and told."""
        key = NAMES[name]
        found = self.members(value, name, (_ACTION if name == "action" else _SUBJECT) - {key})
        properties = self._properties(found, name)
        if name == "action":
            return {"name": "", "properties": properties}, {}
        kind = self._text_of(found, "type", name)
        check = self.subject_type if name == "subject" else self.identifier
        return {"type": check(kind, f"{name}.type"), "id": "", "properties": properties}, {}

    def candidate(self, sought: Part, name: str, value: Any, path: str) -> Part:
        """The member with one candidate in it: a name, or an object. What it does not say is as it is `sought`."""
        reading, is_object = Reading(), isinstance(value, tuple)
        pairs = value if is_object else ((NAMES[name], value),)
        own = {key for key, _ in pairs}
        defaults = {key: sought.members[key] for key in ("type",) if key in sought.members and key not in own}
        members, _ = PARTS[name](reading, (*defaults.items(), *pairs), path)
        if members.get("type") != sought.members.get("type"):
            reading.bad.append((f"{path}.type", "is not the type that is sought"))
        self.bad += reading.bad
        read = reading.held(members)
        if "properties" in own:
            return read
        return replace(
            read, members={**members, "properties": sought.members["properties"]}, weight=read.weight + sought.weight
        )

    def held(self, members: Any, **spoken: Any) -> Part:
        """What this reading has read, which is nothing but this."""
        return Part(members, MAX_REQUEST_BYTES - self.room, self.plain, tuple(self.ignored), **spoken)

    def options(self, value: Any, *, is_of_one: bool = False) -> Options:
        """The options of a body, or of one question among its many."""
        found = self.members(value, "options", _OPTIONS | self._others, strict=True)
        if is_of_one and "evaluations_semantic" in found:
            sentence = "is of the whole body; set it in the options beside `evaluations`"
            self.bad.append(("options.evaluations_semantic", sentence))
        texts = {name: self._text_of(found, name, "options") for name in _TEXTS if name in found}
        flags = frozenset(name for name in _FLAGS if name in found and self._flag(found[name], f"options.{name}"))
        chain = self._chain(found["on_behalf_of"]) if "on_behalf_of" in found else None
        semantics = self._semantics(found.get("evaluations_semantic", "execute_all"))
        others = {name: found[name] for name in self._others & found.keys()}
        at_least = self._count(found.get(_AT_LEAST, 0.0), f"options.{_AT_LEAST}")
        return Options(texts, flags, chain, semantics, at_least, others)

    def subject(self, value: Any, path: str) -> _Read:
        """A subject."""
        found = self.members(value, path, _SUBJECT)
        kind = self.subject_type(self._text_of(found, "type", path), f"{path}.type")
        name = self.identifier(self._text_of(found, "id", path), f"{path}.id")
        return {"type": kind, "id": name, "properties": self._properties(found, path)}, {}

    def action(self, value: Any, path: str) -> _Read:
        """An action."""
        found = self.members(value, path, _ACTION)
        name = self.identifier(self._text_of(found, "name", path), f"{path}.name")
        return {"name": name, "properties": self._properties(found, path)}, {}

    def resource(self, value: Any, path: str) -> _Read:
        """A resource."""
        found = self.members(value, path, _SUBJECT)
        kind = self.identifier(self._text_of(found, "type", path), f"{path}.type")
        name = self.identifier(self._text_of(found, "id", path), f"{path}.id")
        return {"type": kind, "id": name, "properties": self._properties(found, path)}, {}

    def context(self, value: Any, path: str) -> _Read:
        """A context, without what it says to the decision point."""
        members = self.free(value, path)
        spoken = {
            "supports": self._supports(members.pop("supported_obligations", []), f"{path}.supported_obligations"),
            "approval": self._approval(members.pop("approval", None), f"{path}.approval"),
        }
        return members, spoken

    def free(self, value: Any, path: str) -> dict[str, Any]:
        """Free attributes."""
        if not isinstance(value, tuple):
            self.bad.append((path, _no_object(path)))
            return {}
        try:
            return self.object(value)
        except Refused as refused:
            self.bad += refused.within(path).fields
            return {}

    def _properties(self, found: Mapping[str, Any], path: str) -> dict[str, Any]:
        return self.free(found["properties"], f"{path}.properties") if "properties" in found else {}

    def _chain(self, value: Any) -> Part:
        path, reading = "options.on_behalf_of", Reading()
        if not isinstance(value, list):
            self.bad.append((path, f"is not a list of subjects; send one, such as [{EXAMPLES['subject']}]"))
            return Part([])
        subjects = list[Any]()
        if reading.few(value, path):
            subjects = [reading.subject(one, f"{path}[{index}]")[0] for index, one in enumerate(value)]
        self.bad += reading.bad
        return reading.held(subjects)

    def _text_of(self, found: Mapping[str, Any], name: str, path: str) -> str:
        """A member that is a text; empty where it is missing or refused."""
        value = found.get(name, "")
        if not isinstance(value, str):
            return self._refused(f"{path}.{name}", _NO_TEXT)
        try:
            return well_formed(value)
        except Refused as refused:
            self.bad += refused.within(f"{path}.{name}").fields
            return ""

    def _flag(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            self.bad.append((path, "is not true or false"))
        return value is True

    def _count(self, value: Any, path: str) -> int:
        if isinstance(value, float) and value.is_integer() and 0 <= value <= MAX_WHOLE_NUMBER:
            return int(value)
        self.bad.append((path, "is not a whole number from 0"))
        return 0

    def _semantics(self, value: Any) -> BatchSemantics:
        known = SEMANTICS.get(value) if isinstance(value, str) else None
        if known is None:
            self.bad.append(("options.evaluations_semantic", f"is not one of {', '.join(SEMANTICS)}"))
        return known or SEMANTICS["execute_all"]

    def _supports(self, value: Any, path: str) -> frozenset[str]:
        if isinstance(value, list) and all(isinstance(kind, str) for kind in value):
            return frozenset(value)
        self.bad.append((path, _NO_TEXTS))
        return frozenset()

    def _approval(self, value: Any, path: str) -> str:
        """The id of an approval, the only member that is read."""
        if value is None:
            return ""
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
            return self._refused(path, 'is not an object with the id of an approval, such as {"id": "apr_…"}')
        return str(value["id"])

    def _require_sense(self, unknown: int, path: str) -> None:
        """Raise `InvalidRequest` where nothing that comes behind would change the answer."""
        if unknown > MAX_UNKNOWN:
            sentence = f"has more than {MAX_UNKNOWN} members that nobody here knows; leave them out"
            self.bad.append((path or "request", sentence))
        if unknown > MAX_UNKNOWN or self.room < 0 or len(self.bad) >= MAX_NAMED:
            self.require_good()

    def _unknown(self, key: str, value: Any, path: str, *, strict: bool) -> None:
        if strict:
            self.bad.append((path, "is not an option here; correct it or leave it out"))
            return
        if path in _OPTIONS:
            self.bad.append((path, "is a member of options; without it there, it would not count"))
            return
        try:
            well_formed(key)
            self.value(value)
        except Refused as refused:
            self.bad += refused.within(path).fields
        else:
            self.ignored.append(path)

    def _refused(self, path: str, description: str) -> str:
        self.bad.append((path, description))
        return ""


def _no_object(path: str) -> str:
    """What is wrong with a value that has to be an object; the path says which one it is meant to be."""
    name = re.sub(r"\[\d+\]$", "", path).rpartition(".")[2]
    return f"is not a JSON object; send one, such as {EXAMPLES.get(_MEANT.get(name, name), '{}')}"


PARTS: Mapping[str, Callable[[Reading, Any, str], _Read]] = {
    "subject": Reading.subject,
    "action": Reading.action,
    "resource": Reading.resource,
    "context": Reading.context,
}
"""The members of a question, and what reads each."""
