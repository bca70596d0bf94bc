"""JSON text: a mask for every leaf path, number text and key order kept.

Used for `json` columns and for whole records, which are a table of one such column.

1. Every leaf needs a mask; a path that no rule names refuses the document.
2. A path that a document does not have is not an error.
3. An object with the same key twice is refused, and so is a value of a type that its mask does not take.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from masker import date_shift, methods
from masker.arrow import table
from masker.chunk import Chunk
from masker.context import Context, Days, KeySchedules
from masker.errors import ValueRefused
from masker.kernels.column import SHORT, Masked, Text, text_from
from masker.methods import Takes
from masker.path import ITEM, Path, parse, render
from masker.plan import MaskPlan, plan
from masker.spec import Spec

COLUMN = "record"
"""The name of the one column that a table of records has."""
DEPTH = 32
"""Steps of a path at most. Far beyond real records, and far below where Python's JSON parser gives up."""
Slot = tuple[Any, Any]
"""Where a leaf stands: its object or list, and its key or index."""

_PROBLEMS = {
    "json": "the value is not JSON",
    "depth": f"JSON is nested deeper than {DEPTH}",
    "twice": "an object has the same key twice",
    "path": "no rule covers the path",
    "type": "the mask does not take a value of this type",
    "unicode": "a string is not valid Unicode",
    "value": "the value does not fit its mask",
}


class Number(str):
    """The text of a number as it stood."""

    __slots__ = ()


class _Broken(Exception):
    """A document is refused; the argument is a key of _PROBLEMS."""


def record_table(documents: Iterable[str]) -> Any:
    """Return records as a table of one column, which is what a plan for records masks."""
    return table.of_text(COLUMN, list(documents))


def plan_records(masks: Iterable[dict[str, Any]], domains: dict[str, Any] | None = None, **options: Any) -> MaskPlan:
    """Compile masks for records: `column` of a mask is a leaf path, all else is as in `plan`."""
    entries = {str(mask["column"]): {key: value for key, value in mask.items() if key != "column"} for mask in masks}
    whole = {"column": COLUMN, "rule": "", "mask": "json", "paths": entries}
    return plan(table.text_schema(COLUMN), [whole], domains, **options)


def leaf_paths(documents: Iterable[str]) -> list[str]:
    """Return every leaf path that occurs, sorted. Raises ValueRefused, which names the record, for what is not JSON."""
    paths: set[Path] = set()
    for row, document in enumerate(documents):
        try:
            paths.update(path for path, _, value in _leaves(_parsed(document)) if value is not None)
            problem = ""
        except _Broken as broken:
            problem = _PROBLEMS[str(broken)]
        if problem:
            raise ValueRefused(problem, row=row)
    return sorted(render(path) for path in paths)


def masked(chunk: Chunk, values: Text, schedules: KeySchedules, mask_plan: MaskPlan) -> Text:
    """Mask the JSON documents of a chunk."""
    return _Documents(chunk, values, schedules, mask_plan).run()


class _Documents:
    """One column of documents: parsed, its leaves gathered by path, masked, put back."""

    def __init__(self, chunk: Chunk, values: Text, schedules: KeySchedules, mask_plan: MaskPlan) -> None:
        self.leaf, self.rows, self.schedules, self.plan = chunk.leaf, chunk.rows, schedules, mask_plan
        self.rules = {parse(path): (path, rule, spec) for path, rule, spec in chunk.leaf.spec.children}
        self.prefixes = {path[:length] for path in self.rules if path for length in range(1, len(path))}
        self.slots: dict[Path, list[tuple[int, Slot]]] = {path: [] for path in self.rules if path}
        self.documents = [self._document(values, row) for row in range(len(values))]

    def run(self) -> Text:
        """Mask path by path; entities are read before anything changes."""
        shifts = {path: self._days(path) for path in self.slots if self.rules[path][2].get("entity") is not None}
        for path, slots in self.slots.items():
            if slots and (self.plan.direction == "mask" or methods.of(self.rules[path][2]).reversible):
                self._mask(path, slots, shifts.get(path))
        return text_from([None if each is None else _written(each[0]) for each in self.documents])

    def _document(self, values: Text, row: int) -> list[Any] | None:
        """Return the document in a list of one, so that a bare leaf has a place too; None for null."""
        if not values.valid[row]:
            return None
        place = ""
        try:
            holder = [_parsed(values.value(row).decode())]
            for path, slot, value in _leaves(holder[0], holder):
                place = render(path)
                self._note(row, path, slot, value)
            problem = ""
        except _Broken as broken:
            problem = _PROBLEMS[str(broken)]
        if problem:
            raise self._refused(problem, row, place)
        return holder

    def _note(self, row: int, path: Path, slot: Slot, value: Any) -> None:
        if path in self.slots:
            self.slots[path].append((row, slot))
        elif self.plan.direction == "mask" and not (value is None and path in self.prefixes):
            raise _Broken("path")

    def _mask(self, path: Path, slots: list[tuple[int, Slot]], days: Days | None) -> None:
        spec = self.rules[path][2]
        if methods.of(spec).is_whole:
            for _, (container, key) in slots if methods.of(spec).takes is Takes.NOTHING else ():
                container[key] = None
            return
        leaves = [container[key] for _, (container, key) in slots]
        for (row, _), value in zip(slots, leaves, strict=True):
            if not _takes(spec, value, self.plan.direction):
                raise self._refused(_PROBLEMS["type"], row, render(path))
        result = self._run(spec, self._text(path, leaves, slots), days, slots)
        self._refuse_unfit(path, spec, result, slots)
        for number, (_, (container, key)) in enumerate(slots):
            container[key] = _back(spec, leaves[number], result.values, number)

    def _run(self, spec: Spec, values: Text, days: Days | None, slots: list[tuple[int, Slot]]) -> Masked:
        rows = np.array([row for row, _ in slots], np.int64)
        shifts = (days[0][rows], days[1][rows]) if days else None
        method, context = methods.of(spec), Context(self.schedules, self.leaf.key_version, shifts)
        if self.plan.direction == "mask":
            return method.run(spec, values, context)
        opened = method.reverse(spec, values, context)
        if self.plan.direction == "unmask" or opened.status.any():
            return opened
        return method.run(spec, opened.values, Context(self.schedules, self.plan.key_version))

    def _text(self, path: Path, leaves: list[Any], slots: list[tuple[int, Slot]]) -> Text:
        encoded: list[bytes | None] = []
        for (row, _), value in zip(slots, leaves, strict=True):
            text = None if value is None else _plain(value)
            if text is not None and any("\ud800" <= each <= "\udfff" for each in text):
                raise self._refused(_PROBLEMS["unicode"], row, render(path))
            encoded.append(None if text is None else text.encode())
        return text_from(encoded)

    def _days(self, path: Path) -> Days:
        """The shift of every document, from its one entity leaf."""
        spec = self.rules[path][2]
        entity = parse(spec["entity"]) or ()
        values: list[bytes | None] = [None] * len(self.documents)
        for row, (container, key) in self.slots[entity]:
            value = container[key]
            values[row] = _plain(value).encode("utf-8", "surrogatepass") if isinstance(value, str) else None
        return date_shift.entity_days(spec, text_from(values), Context(self.schedules, self.leaf.key_version))

    def _refuse_unfit(self, path: Path, spec: Spec, result: Masked, slots: list[tuple[int, Slot]]) -> None:
        for number in np.flatnonzero(result.status):
            short = result.status[number] == SHORT
            allowed = spec.short_is_null if short else spec.unfit_is_null
            if not allowed or self.plan.direction != "mask":
                raise self._refused(_PROBLEMS["value"], slots[number][0], render(path))

    def _refused(self, problem: str, row: int, path: str) -> ValueRefused:
        column = self.leaf.column if self.leaf.column != COLUMN else ""
        place = f"{column}: {path}" if column and path else column or path
        rule = next((rule for name, rule, _ in self.rules.values() if name == path), "") or self.leaf.rule
        return ValueRefused(problem, column=place, row=int(self.rows[row]), rule=rule)


def _parsed(document: str) -> Any:
    problem = ""
    try:
        return json.loads(
            document,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_constant,
        )
    except RecursionError:
        problem = "depth"
    except ValueError:
        problem = "json"
    raise _Broken(problem)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Broken("twice")
    return made


def _constant(_name: str) -> Any:
    raise _Broken("json")


def _leaves(document: Any, holder: list[Any] | None = None) -> Iterator[tuple[Path, Slot, Any]]:
    """Walk to every leaf; an empty object or list does not hold one."""
    pending: list[tuple[Path, Slot, Any]] = [((), (holder, 0), document)]
    while pending:
        path, slot, value = pending.pop()
        if len(path) > DEPTH:
            raise _Broken("depth")
        if isinstance(value, dict):
            pending.extend(((*path, key), (value, key), below) for key, below in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, ITEM), (value, index), value[index]) for index in reversed(range(len(value))))
        else:
            yield path, slot, value


def _takes(spec: Spec, value: Any, direction: str) -> bool:
    """Tell whether a mask takes a value: numbers only where their text is exact or the rule says `number`."""
    if value is None:
        return True
    if direction != "mask":
        return type(value) is str
    if methods.of(spec).takes is Takes.FLAGS:
        return True
    if spec.get("format") == "number":
        return isinstance(value, Number)
    if isinstance(value, Number):
        return methods.of(spec).takes_ids and "e" not in value.lower()
    return isinstance(value, str)


def _plain(value: Any) -> str:
    """Numbers as the shortest plain text, so that 42, 42.0 and "42" join."""
    if isinstance(value, Number):
        if "." not in value:
            return "0" if value == "-0" else str(value)
        shortest = value.rstrip("0").rstrip(".")
        return "0" if shortest == "-0" else shortest
    return value if isinstance(value, str) else ""


def _back(spec: Spec, before: Any, values: Text, number: int) -> Any:
    """Return what stands in the document: a number that its mask keeps is a number again."""
    if not values.valid[number]:
        return None
    text = values.value(number).decode()
    stays = isinstance(before, Number) and methods.of(spec).keeps_numbers
    return Number(text) if stays else text


def _written(value: Any) -> bytes:
    return "".join(_spelled(value)).encode("utf-8", "surrogatepass")


def _spelled(value: Any) -> Iterator[str]:
    """Write JSON with numbers as they stood."""
    if isinstance(value, Number):
        yield value
    elif isinstance(value, dict):
        yield "{"
        for number, (key, below) in enumerate(value.items()):
            yield f"{',' if number else ''}{json.dumps(key, ensure_ascii=_odd(key))}:"
            yield from _spelled(below)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, below in enumerate(value):
            yield "," if number else ""
            yield from _spelled(below)
        yield "]"
    else:
        yield json.dumps(value, ensure_ascii=isinstance(value, str) and _odd(value))


def _odd(text: str) -> bool:
    """A lone surrogate stays the escape it was."""
    return any("\ud800" <= each <= "\udfff" for each in text)
