"""Checks the objects that rules add to the five sets, as far as written out. The server checks computed values."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pdp.channel import Channel
from pdp.duration import duration_ms
from pdp.i_json import MAX_WHOLE_NUMBER
from pdp.policy.near import near
from pdp.requirement import DEFAULT_PENDING_FOR_MS, MAX_REMINDERS, MAX_SUMMARY, is_path

MOST_REVIEWERS = 1000
"""The largest `count` of a requirement, in people. It bounds a number that may be mistyped."""
DURATION = re.compile(r"(\d{1,5}h)?(\d{1,5}m)?(\d{1,7}s)?")
"""A duration such as "4h", "15m", "1h30m" or "30s"."""

NOBODY = "unknown"
"""What stands for a text that is absent. No group of reviewers has this name."""

Fault = tuple[str, str]
"""The rule of the check, and what to do."""


class Computed:
    """Stands for a value that is known only after evaluation."""


COMPUTED = Computed()


def literal(term: Mapping[str, Any]) -> Any:
    """The value of a term of OPA's syntax tree, with `COMPUTED` for each part that is not written out."""
    match term["type"]:
        case "string" | "number" | "boolean" | "null":
            return term.get("value")
        case "array" | "set":
            return [literal(item) for item in term["value"]]
        case "object":
            pairs = [(literal(key), literal(value)) for key, value in term["value"]]
            return dict(pairs) if all(isinstance(key, str) for key, _ in pairs) else COMPUTED
        case _:
            return COMPUTED


def falling_back(term: Mapping[str, Any]) -> Mapping[str, Any]:
    """A term with the default of each `object.get` in the call's place, where an object or a list writes it out."""
    match term:
        case {"type": "call", "value": [{"value": [{"value": "object"}, {"value": "get"}]}, _, _, default]}:
            return dict(default)
        case {"type": "array" | "set", "value": list(items)}:
            return {**term, "value": [falling_back(item) for item in items]}
        case {"type": "object", "value": list(pairs)}:
            return {**term, "value": [[key, falling_back(value)] for key, value in pairs]}
    return term


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item is COMPUTED or _is_text(item) for item in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_REVIEWERS


def _is_duration(value: Any) -> bool:
    return isinstance(value, str) and bool(DURATION.fullmatch(value)) and bool(re.search("[1-9]", value))


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_summary(value: Any) -> bool:
    paths = isinstance(value, list) and 1 <= len(value) <= MAX_SUMMARY
    return paths and all(item is COMPUTED or is_path(item) for item in value)


def _is_channels(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    named = [item for item in value if item is not COMPUTED]
    return all(item in [*Channel] for item in named) and len({*named}) == len(named)


def _is_remind(value: Any) -> bool:
    if not isinstance(value, list) or len(value) > MAX_REMINDERS:
        return False
    times = [item for item in value if item is not COMPUTED]
    return all(map(_is_duration, times)) and len({*map(duration_ms, times)}) == len(times)


def _is_values(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MAX_WHOLE_NUMBER


def _is_claims(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_claim, value.values()))


def _is_claim(value: Any) -> bool:
    return value is COMPUTED or isinstance(value, str | int | float)


@dataclass(frozen=True)
class Shape:
    """The keys of an object, each with its test. An `open` object may have other keys, too."""

    required: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    optional: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    open: bool = False


WANTED: Mapping[Callable[[Any], bool], str] = {
    _is_text: "a text",
    _is_texts: "a list of texts, at least one",
    _is_count: f"a whole number from 1 to {MOST_REVIEWERS}",
    _is_duration: 'a duration such as "4h", "15m" or "30s"',
    _is_object: "an object",
    _is_flag: "true or false",
    _is_summary: f'a list of 1 to {MAX_SUMMARY} paths such as "resource.properties.amount" or "context.rows"',
    _is_channels: f"a list of one or more of {', '.join(Channel)}, each once",
    _is_remind: f'a list of at most {MAX_REMINDERS} different durations such as "30m" or "2h"',
    _is_values: "a whole number from 1 to 2^53-1",
    _is_claims: "an object, one claim or more, each a text, a number or a boolean",
}
REASONED = {"rule": _is_text, "reason": _is_text}
SHAPES = {
    "deny": Shape(REASONED),
    "allow": Shape(REASONED),
    "needs_approval": Shape(
        {**REASONED, "reviewers": _is_object},
        {
            "count": _is_count,
            "pending_for": _is_duration,
            "valid_for": _is_duration,
            "individual": _is_flag,
            "individual_every": _is_duration,
            "summary": _is_summary,
            "unmask_values": _is_values,
            "channels": _is_channels,
            "passkey": _is_flag,
            "remind": _is_remind,
        },
    ),
    "obligation": Shape({**REASONED, "type": _is_text}, {"properties": _is_object}),
    "mask": Shape(REASONED, open=True),
}
REVIEWERS = Shape(optional={"groups": _is_texts, "identities": _is_texts, "claims": _is_claims})


def faults(name: str, entry: Any) -> Iterable[Fault]:
    """What is wrong with an entry of the set `name`."""
    if entry is COMPUTED:
        return
    if not isinstance(entry, dict):
        yield "wrong-type", f"`{name}` holds objects; write {{{_keys(SHAPES[name])}}}"
        return
    yield from _object_faults(entry, SHAPES[name])
    if name == "needs_approval":
        yield from _late_reminders(entry)
    if name == "needs_approval" and isinstance(reviewers := entry.get("reviewers"), dict):
        yield from _object_faults(reviewers, REVIEWERS, "reviewers.")
        if isinstance(groups := reviewers.get("groups"), list) and NOBODY in groups:
            yield "matches-nothing", f"nobody is in the group `{NOBODY}`; name one that may review"
        if not reviewers:
            yield "missing-key", "name the `groups`, `identities` or `claims` of the people who may review"


def _late_reminders(entry: Mapping[str, Any]) -> Iterable[Fault]:
    """Reminders that would come when nobody may review any more."""
    pending_for, remind = entry.get("pending_for"), entry.get("remind")
    if pending_for is COMPUTED or not _is_remind(remind):
        return
    within = duration_ms(pending_for) if isinstance(pending_for, str) else None
    for time in remind or []:
        if time is not COMPUTED and (duration_ms(time) or 0) >= (within or DEFAULT_PENDING_FOR_MS):
            yield "wrong-type", f"make `remind` {time} shorter than `pending_for`, after which nobody reviews any more"


def _object_faults(entry: Mapping[str, Any], shape: Shape, path: str = "") -> Iterable[Fault]:
    tests = {**shape.required, **shape.optional}
    for key in shape.required.keys() - entry.keys():
        yield "missing-key", f"add `{path}{key}`, {WANTED[tests[key]]}"
    for key, value in entry.items():
        if key in tests and value is not COMPUTED and not tests[key](value):
            yield "wrong-type", f"make `{path}{key}` {WANTED[tests[key]]}"
        elif key not in tests and not shape.open:
            close = near(key, tests)
            meant = f"write `{path}{close}` for `{path}{key}`" if close else f"remove `{path}{key}`"
            yield "unknown-key", f"{meant}; the keys are {_keys(shape)}"


def _keys(shape: Shape) -> str:
    return ", ".join([*shape.required, *shape.optional])
