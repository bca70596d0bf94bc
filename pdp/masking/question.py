"""Table and columns -> OPA's question, OPA's answer -> the masks of each column.

Pure, and strict: an entry that is not exactly what it may be is `PolicyInvalid`, and a column with no mask or with two
is `MaskPlanRefused`, naming column and rules. Which parameters a mask takes and which types it fits is the masker's to
say.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from pdp.caller import Caller
from pdp.errors import Conflict, MaskPlanRefused, PolicyInvalid
from pdp.policy_answer import policy_object, policy_revision, policy_text

AT_ONCE = 64
"""Columns of one question to the policy. At the measured 60 µs each it takes 4 ms of a query's 250."""
MAX_COLUMNS = 2000
"""Columns of a table, those below others counted, and leaf paths of records: a limit of the contract."""
SELECTORS = ("columns", "tags")
"""How a mask entry says which columns it is for; it has exactly one of them."""
KINDS = ("domain", "mask")
"""How it says what is done to them: a declared domain, or a mask without keys; exactly one of them."""
_WORDS = {"rule", "reason", "rank", *SELECTORS}
_ANSWER_KEYS = {"entries", "columns", "domains", "people", "revisions"}
_PLAIN = re.compile(r"[^.\[\]\"\s]+")
"""A name that stands in a path as it is, as in `masker.path`, which is an extra."""
_MAX_NAMED = 5
"""Columns without a mask that one error names."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the policy is asked about it: the path in writing, and the paths of the columns around it.

    1. `leaf` is false for a struct, list or map, which needs no mask where those below have theirs.
    2. `also` is how people write the path where its names are odd: `First Name` for `["First Name"]`. `above` has both
       ways. A name that two columns could have, or that is the path of another one, is not among them.
    3. `tagged` are the tags that lineage has for it and for those above, by each of these names.
    """

    name: str
    type: str
    leaf: bool = True
    above: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    tagged: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Selection:
    """The masks that a policy selects, as `masker.plan` takes them: {column, rule, domain | mask, parameters}.

    `people`: each requester principal, the caller among them, with the person that it is.
    """

    masks: tuple[Mapping[str, Any], ...]
    domains: Mapping[str, Mapping[str, Any]]
    people: Mapping[str, str]
    revision: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a policy would do: the mask of each column, why it has none, or nothing where those below have theirs."""

    masks: Mapping[str, Mapping[str, Any] | MaskPlanRefused]
    domains: Mapping[str, Mapping[str, Any]]
    revision: str


def masks_input(canonical: bytes, caller: Caller, now_ns: int, columns: Sequence[Column]) -> bytes:
    """The input of `data.pdp.masks`."""
    return b'{"request":%b,"caller":%b,"now":%d,"columns":%b}' % (canonical, caller.json, now_ns, orjson.dumps(columns))


def columns_named(names: Sequence[str]) -> list[Column]:
    """Columns of which only the names are known: `a.b` lies in `a`, and an odd name is quoted in a path."""
    known = set(names)
    inner = {around for name in known for around in _around(name)}
    return [
        Column(_path(name), "", name not in inner, tuple(_around(name)), () if _path(name) == name else (name,))
        for name in names
    ]


def _around(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _path(name: str) -> str:
    return name if all(map(_PLAIN.fullmatch, name.split("."))) else f"[{json.dumps(name, ensure_ascii=False)}]"


def names(columns: Sequence[Column]) -> list[str]:
    """The names of columns as people write them: those that lineage may know."""
    return [name for column in columns for name in column.also or (column.name,)]


def tagged(columns: Sequence[Column], known: Mapping[str, Sequence[str]]) -> list[Column]:
    """The columns with their tags, which lineage knows by `names`."""
    tags: dict[str, list[str]] = {}
    for column in columns:
        own = sorted({tag for name in column.also or (column.name,) for tag in known.get(name, ())})
        tags |= dict.fromkeys((column.name, *column.also), own)
    return [replace(column, tagged=_of_column(column, tags)) for column in columns] if known else [*columns]


def _of_column(column: Column, tags: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    return {name: tags[name] for name in (column.name, *column.also, *column.above) if tags.get(name)}


def parts(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    """The columns of each question to the policy; of a table without columns there is one question, too."""
    for first in range(0, max(len(columns), 1), AT_ONCE):
        yield columns[first : first + AT_ONCE]


def whole(results: Sequence[Any]) -> Any:
    """The raw answers about parts of a table as one. Raises `Conflict` if the policy changed between them."""
    first, *others = results
    if not others:
        return first
    answers = [policy_object(result, "the masks", _ANSWER_KEYS) for result in results]
    if any({**answer, "columns": {}} != {**answers[0], "columns": {}} for answer in answers):
        raise Conflict("the policy changed meanwhile; ask again")
    columns: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer.get("columns"), dict):
            raise PolicyInvalid("wrong_keys", "the policy answered for other columns than it was asked about")
        columns |= answer["columns"]
    return {**first, "columns": columns}


def selection(result: Any, columns: Sequence[Column], *, partial: bool = False) -> Selection:
    """Parse what `data.pdp.masks` answered about exactly `columns`.

    `partial` lets columns be without a mask, as where masks are reversed.
    """
    answer, selected = _selected(result, columns)
    if not partial:
        _require_covered(columns, selected)
    masks = tuple(_mask(name, entries) for name, entries in selected.items() if entries)
    return Selection(masks, _domains(answer.get("domains")), _people(answer.get("people")), policy_revision(answer))


def foreseen(result: Any, columns: Sequence[Column]) -> Foreseen:
    """`selection`, but where one column has no mask or two it says so, and the others have theirs."""
    answer, selected = _selected(result, columns)
    masks = {column.name: _foreseen(column, selected) for column in columns}
    return Foreseen(masks, _domains(answer.get("domains")), policy_revision(answer))


def _foreseen(column: Column, selected: Mapping[str, Sequence[Any]]) -> Mapping[str, Any] | MaskPlanRefused:
    """The one mask of a column or of the nearest one around it; nothing of one that only contains others."""
    masked = next((name for name in (column.name, *reversed(column.above)) if selected.get(name)), None)
    try:
        _require_covered([column], selected)
        return _mask(masked, selected[masked]) if masked else {}
    except MaskPlanRefused as refused:
        return refused


def _selected(result: Any, columns: Sequence[Column]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The checked answer, and the entries that are for each column."""
    answer = policy_object(result, "the masks", _ANSWER_KEYS)
    for entry in _entries(answer.get("entries")):
        _check(entry)
    found = answer.get("columns")
    if not isinstance(found, dict) or found.keys() != {column.name for column in columns}:
        raise PolicyInvalid("wrong_keys", "the policy answered for other columns than it was asked about")
    return answer, {column.name: _entries(found[column.name]) for column in columns}


def _entries(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PolicyInvalid("wrong_type", "the policy answered something else where the list of masks belongs")
    return value


def _people(people: Any) -> dict[str, str]:
    """Those behind the request. They are at least its caller: an answer without anybody would count for nobody."""
    if not isinstance(people, dict) or not people:
        raise PolicyInvalid("wrong_type", "the policy names nobody as the people behind a request")
    return {name: policy_text(people, name) for name in people}


def _check(entry: Any) -> None:
    """Every entry, whether it names a column of this table or not: one that names nothing protects nothing."""
    rule = policy_text(entry, "rule")
    policy_text(entry, "reason")
    for choices in (SELECTORS, KINDS):
        if sum(choice in entry for choice in choices) != 1:
            raise PolicyInvalid("unknown_key", f"mask rule {rule} must have {' or '.join(choices)}, one of them")
    names = next(entry[selector] for selector in SELECTORS if selector in entry)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise PolicyInvalid("wrong_type", f"mask rule {rule}: columns and tags are lists of texts, at least one")
    if not all(isinstance(entry[kind], str) for kind in KINDS if kind in entry):
        raise PolicyInvalid("wrong_type", f"mask rule {rule}: domain and mask are names")
    if type(entry.get("rank", 0)) is not int:  # bool is an int, too
        raise PolicyInvalid("wrong_type", f"mask rule {rule}: rank is a whole number")


def _require_covered(columns: Sequence[Column], selected: Mapping[str, Sequence[Any]]) -> None:
    bare = [
        column.name
        for column in columns
        if column.leaf and not any(selected.get(name) for name in (column.name, *column.above))
    ]
    if bare:
        raise MaskPlanRefused(
            f"the policy has no mask for {_named(bare)}; `clear` lets a column through, but it must say so",
            violations=[(name, "no rule covers the column") for name in bare],
            column=bare[0],
        )


def _named(columns: Sequence[str]) -> str:
    more = len(columns) - _MAX_NAMED
    return f"column {', '.join(columns[:_MAX_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _mask(column: str, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one mask on which all entries agree that count."""
    entries = _counting(entries)
    rules = ", ".join(sorted({entry["rule"] for entry in entries}))
    masks = [{key: value for key, value in entry.items() if key not in _WORDS} for entry in entries]
    if any(mask != masks[0] for mask in masks):
        raise MaskPlanRefused(
            f"column {column} has two different masks, by the rules {rules}",
            violations=[(column, f"two different masks, by the rules {rules}")],
            column=column,
            rule=rules,
        )
    return {"column": column, "rule": rules, **masks[0]}


def _counting(entries: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Those of the highest rank. Beside a mask that follows a tag, `clear` has none, however high its rank is."""
    hides_a_tag = any("tags" in entry and not _clears(entry) for entry in entries)
    rest = [entry for entry in entries if not (hides_a_tag and _clears(entry))]
    highest = max(entry.get("rank", 0) for entry in rest)
    return [entry for entry in rest if entry.get("rank", 0) == highest]


def _clears(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("mask") == "clear")


def _domains(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(domain, dict) for domain in value.values()):
        raise PolicyInvalid("wrong_type", "data.domains holds something that is not a domain, an object with a mask")
    return value
