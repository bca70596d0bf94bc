"""What one answer of a policy has lost beside another one. Pure.

1. A deny is stronger than asking people, and that is stronger than an allow.
2. A requirement is met by one of at least its strictness in every key, which stands for no other.
3. An obligation is kept by one of the same type and properties.
4. A column that does not leave is masked best, one in `clear` worst.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.decision import Effect, Verdict
from pdp.requirement import Requirement

_RANKS = {Effect.ALLOW: 0, Effect.NEEDS_APPROVAL: 1, Effect.DENY: 2}
_STAYS = 4
"""The rank of a column that does not leave: no mask or more than one names it, or one that the masker does not know."""
MASKS = {
    "nullify": 3, "redact": 3,
    "token": 2, "pseudonym": 2, "email": 2, "fpe": 2, "date_shift": 2,
    "partial": 1, "generalize": 1, "json": 1,
    "clear": 0,
}  # fmt: skip
"""What a mask leaves of a value: 3 nothing, 2 which values are equal, 1 a part of it, 0 all of it."""
_HIDES_ALL = 3
_SAID = {"rule", "reason", "columns", "tags"}
"""The keys of a mask entry that do not say how a column is masked."""


class Loss(NamedTuple):
    """A rule that fell away, or the one that answers in its place; what was lost by that."""

    rule: str
    what: str


def losses(before: Verdict, after: Verdict, *, says_more: bool = False) -> list[Loss]:
    """What `after` has lost beside `before`; nothing if it is at least as strict. Both are explained.

    If the request `says_more` than before, a rule that answers only now loses nothing by itself.
    """
    if _RANKS[after.effect] > _RANKS[before.effect] or after.effect is Effect.DENY:
        return []
    found = [*_of_effect(before, after, says_more=says_more), *_of_obligations(before, after)]
    if before.effect is after.effect is Effect.NEEDS_APPROVAL:
        found += _of_requirements(before.requirements, after.requirements)
    return list(dict.fromkeys(found))


def _of_effect(before: Verdict, after: Verdict, *, says_more: bool) -> Iterator[Loss]:
    if before.effect is after.effect:
        return
    what = f"{before.effect} becomes {after.effect}"
    gone = _rules(before, "deny", "needs_approval") - _rules(after, "deny", "needs_approval")
    if gone:
        yield from (Loss(rule, f"{what}, without {rule}") for rule in sorted(gone))
    if gone or says_more:
        return
    added = {reason.rule for reason in after.reasons} - _rules(before, "allow") or {r.rule for r in after.reasons}
    yield from (Loss(rule, f"{what}, by {rule}") for rule in sorted(added))


def _rules(verdict: Verdict, *sets: str) -> set[str]:
    return {reason.rule for name in sets for reason in (verdict.fired or {}).get(name, ())}


def _of_obligations(before: Verdict, after: Verdict) -> Iterator[Loss]:
    if before.effect is Effect.DENY:
        return
    kept = [(duty.type, duty.properties) for duty in after.obligations]
    for duty in before.obligations:
        if (duty.type, duty.properties) not in kept:
            yield Loss(duty.rule, f"the obligation `{duty.type}` is lost, of {duty.rule}")


def _of_requirements(before: Sequence[Requirement], after: Sequence[Requirement]) -> Iterator[Loss]:
    """Requirements by their rule first, then by any that is left over."""
    left = list(after)
    for wanted in sorted(before, key=lambda one: one.rule not in {other.rule for other in after}):
        same = [one for one in left if one.rule == wanted.rule]
        match = next((one for one in [*same, *left] if not less(wanted, one)), None)
        if match:
            left.remove(match)
        elif same:
            yield Loss(wanted.rule, f"{wanted.rule} asks less: {', '.join(less(wanted, same[0]))}")
        else:
            yield Loss(wanted.rule, f"nothing asks for what {wanted.rule} asked")


def less(wanted: Requirement, given: Requirement) -> list[str]:
    """The keys in which `given` is less strict than `wanted`."""
    looser = {
        "reviewers": not _is_narrower(wanted, given),
        "count": given.count < wanted.count,
        "pending_for": given.pending_for_ms > wanted.pending_for_ms,
        "valid_for": given.valid_for_ms > wanted.valid_for_ms,
        "individual": wanted.individual and not given.individual,
        "individual_every": wanted.individual and given.individual_every_ms < wanted.individual_every_ms,
        "summary": not set(wanted.summary) <= set(given.summary),
        "unmask_values": given.unmask_values > wanted.unmask_values,
        "channels": not {*given.channels} <= {*wanted.channels},
        "passkey": wanted.passkey and not given.passkey,
        "remind": not {*wanted.remind_ms} <= {*given.remind_ms},
    }
    return [key for key, is_looser in looser.items() if is_looser]


def _is_narrower(wanted: Requirement, given: Requirement) -> bool:
    """Whether everybody who may review under `given` may do so under `wanted`."""
    by_claims = not given.claims or (bool(wanted.claims) and wanted.claims.items() <= given.claims.items())
    return by_claims and set(given.groups) <= set(wanted.groups) and set(given.identities) <= set(wanted.identities)


def less_masked(before: Any, after: Any, columns: Sequence[Mapping[str, Any]]) -> list[Loss]:
    """The columns that `after` masks less than `before`, or otherwise: two answers of `data.pdp.masks` about them."""
    found = []
    for column in columns:
        if not column["leaf"]:
            continue
        one, other = _entries(before, column), _entries(after, column)
        rank, lower = _rank(before, one), _rank(after, other)
        is_other = lower == rank < _HIDES_ALL and _how(before, one[0]) != _how(after, other[0])
        if lower < rank or is_other:
            rules = {entry["rule"] for entry in one} - {entry["rule"] for entry in other} or {other[0]["rule"]}
            how = _how(after, other[0]).get("mask")
            found += [Loss(rule, f"column {column['name']} leaves by `{how}`, see {rule}") for rule in sorted(rules)]
    return found


def answers_masks(answer: Any) -> bool:
    """Whether an answer of `data.pdp.masks` is one that `less_masked` takes; a server refuses what is not."""
    match answer:
        case {"entries": list(entries), "columns": dict(), "domains": dict(domains)}:
            return all(map(_is_entry, entries)) and all(isinstance(domain, dict) for domain in domains.values())
    return False


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("rule", "reason"))


def _entries(answer: Any, column: Mapping[str, Any]) -> Sequence[Any]:
    """The entries of a column, else those of the nearest column around it."""
    names = [column["name"], *reversed(column["above"])]
    return next((entries for name in names if (entries := answer["columns"].get(name))), ())


def _rank(answer: Any, entries: Sequence[Any]) -> int:
    ways = [_how(answer, entry) for entry in entries]
    if not ways or any(way != ways[0] for way in ways):
        return _STAYS
    return MASKS.get(str(ways[0].get("mask")), _STAYS)


def _how(answer: Any, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """How an entry masks: its mask and parameters, or those of its domain."""
    declared = answer["domains"].get(entry.get("domain"), {})
    return {**declared, **{key: value for key, value in entry.items() if key not in _SAID}}
