"""JSON text: a mask for every leaf path.

Used for `json` columns and for whole records, which are a table of one such column.

1. Every leaf needs a mask; a path that no rule names refuses the document.
2. A path that a document does not have is not an error.
3. Only the values that a mask changes are written anew. Every other byte stays as it was.
4. Of a key that an object has twice, each value is masked. To unmask, and for the entity of a shift, that is refused.
5. A value of a type that its mask does not take is refused.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from masker import date_shift, methods
from masker.arrow import table
from masker.chunk import Chunk
from masker.context import Context, Days, KeySchedules
from masker.errors import ValueRefused
from masker.kernels import json_scan, json_string
from masker.kernels.column import SHORT, UNFIT, Bytes, Flags, Masked, Offsets, Text, ends
from masker.kernels.json_string import NUMBER, shortest, written
from masker.methods import Takes
from masker.path import ITEM, Path, parse, render
from masker.plan import MaskPlan, plan
from masker.spans import DEPTH, PathTree, Spans, spans
from masker.spec import Spec

COLUMN = "record"
"""The name of the one column that a table of records has."""
_MINUS, _ZERO = b"-0"

_PROBLEMS = {
    "json": "the value is not JSON",
    "depth": f"JSON is nested deeper than {DEPTH}",
    "twice": "an object has the same key twice",
    "path": "no rule covers the path",
    "type": "the mask does not take a value of this type",
    "unicode": "a string is not valid Unicode",
    "value": "the value does not fit its mask",
}


class _Object(list[tuple[str, Any]]):
    """An object as its pairs, because a key may stand there twice."""


_NAMES = {
    json_scan.NOT_JSON: "json",
    json_scan.DEEP: "depth",
    json_scan.TWICE: "twice",
    json_scan.UNCOVERED: "path",
}


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
            paths.update(path for path, value in _leaves(_parsed(document)) if value is not None)
            problem = ""
        except _Broken as broken:
            problem = _PROBLEMS[str(broken)]
        if problem:
            raise ValueRefused(problem, row=row)
    return sorted(render(path) for path in paths)


def counts(documents: Text, paths: Sequence[str], times: Offsets | None = None) -> Counter[str]:
    """How many values, without nulls, stand at each path; document i counts `times[i]` times.

    What is not JSON counts nothing. Of a key that an object has twice, each value counts, as each is masked.
    """
    tree = PathTree([parse(path) or () for path in paths])
    found = spans(documents, tree, np.ones(len(paths), np.bool_), covers=False)
    rows, leaves = found.where[:, 0], found.where[:, 1]
    counted = (found.kinds != json_scan.NULL) & (found.problems[rows] == 0)
    often = np.ones(len(documents), np.int64) if times is None else times
    totals = np.bincount(leaves[counted], often[rows[counted]], len(paths))
    return Counter({path: int(total) for path, total in zip(paths, totals, strict=True) if total})


def masked(chunk: Chunk, values: Text, schedules: KeySchedules, mask_plan: MaskPlan) -> Text:
    """Mask the JSON documents of a chunk."""
    return _Documents(chunk, values, schedules, mask_plan).run()


class _Documents:
    """One column of documents: its values found as spans, masked path by path, put back where they stood."""

    def __init__(self, chunk: Chunk, values: Text, schedules: KeySchedules, mask_plan: MaskPlan) -> None:
        self.leaf, self.rows, self.schedules, self.plan = chunk.leaf, chunk.rows, schedules, mask_plan
        self.rules = [(path, rule, spec, parse(path) or ()) for path, rule, spec in chunk.leaf.spec.children]
        entities = {parse(entity) or () for *_, spec, _ in self.rules if (entity := spec.get("entity")) is not None}
        paths = [steps for *_, steps in self.rules]
        tree = PathTree(paths, entities if self._masks else paths)
        self.changed = np.array([self._changes(spec) for _, _, spec, _ in self.rules], np.bool_)
        wanted = self.changed | np.array([steps in entities for steps in paths], np.bool_)
        self.found = spans(values, tree, wanted, covers=self._masks)
        if self.found.problems.any():
            raise self._problem(int(np.argmax(self.found.problems > 0)))

    @property
    def _masks(self) -> bool:
        return self.plan.direction == "mask"

    def _changes(self, spec: Spec) -> bool:
        return methods.of(spec).takes is not Takes.ARRAYS if self._masks else methods.of(spec).reversible

    def run(self) -> Text:
        """Mask path by path, and write the documents with what came of it."""
        found = self.found.only(self.changed[self.found.where[:, 1]])
        count = len(found.kinds)
        places, lengths, parts, size = np.zeros(count, np.int64), np.zeros(count, np.int64), [np.zeros(0, np.uint8)], 0
        for number in np.unique(found.where[:, 1]):
            chosen = found.where[:, 1] == number
            data, at = self._mask(int(number), found.only(chosen))
            places[chosen], lengths[chosen] = at[:-1] + size, np.diff(at)
            parts.append(data)
            size += data.size
        return found.replaced(np.concatenate(parts), places, lengths)

    def _mask(self, number: int, found: Spans) -> tuple[Bytes, Offsets]:
        """The values of one path as JSON, one behind the other, and where each begins."""
        path, _, spec, _ = self.rules[number]
        method, alive = methods.of(spec), found.kinds != json_scan.NULL
        if method.takes is Takes.NOTHING:
            return written(_no_text(np.zeros_like(alive)), np.zeros(alive.size, np.uint8))
        self._refuse(_PROBLEMS["type"], ~_taken(spec, found.kinds, self.plan.direction), found, path)
        values, halves = (_no_text(alive), ~alive & alive) if method.takes is Takes.FLAGS else texts(found)
        self._refuse(_PROBLEMS["unicode"], halves, found, path)
        result = self._run(spec, values, found.where[:, 0])
        self._refuse(_PROBLEMS["value"], self._unfit(spec, result), found, path)
        stays = (found.kinds >= json_scan.INTEGER) & (found.kinds <= json_scan.EXPONENT) & method.keeps_numbers
        return written(result.values, stays.astype(np.uint8) * NUMBER)

    def _run(self, spec: Spec, values: Text, rows: Offsets) -> Masked:
        days = self._days(spec) if spec.get("entity") is not None else None
        shifts = (days[0][rows], days[1][rows]) if days else None
        method, context = methods.of(spec), Context(self.schedules, self.leaf.key_version, shifts)
        if self._masks:
            return method.run(spec, values, context)
        opened = method.reverse(spec, values, context)
        if self.plan.direction == "unmask" or opened.status.any():
            return opened
        return method.run(spec, opened.values, Context(self.schedules, self.plan.key_version))

    def _days(self, spec: Spec) -> Days:
        """The shift of every document, from its one entity leaf."""
        steps = parse(spec["entity"])
        number = next(number for number, rule in enumerate(self.rules) if rule[3] == steps)
        found = self.found.only(self.found.where[:, 1] == number)
        held, _ = texts(found)
        count, rows = len(self.found.documents), found.where[:, 0]
        lengths, valid = np.zeros(count, np.int64), np.zeros(count, np.bool_)
        lengths[rows], valid[rows] = np.diff(held.offsets), held.valid & (found.kinds != json_scan.TRUTH)
        return date_shift.entity_days(
            spec, Text(held.data, ends(lengths), valid), Context(self.schedules, self.leaf.key_version)
        )

    def _unfit(self, spec: Spec, result: Masked) -> Flags:
        """Which values neither fit nor may become null."""
        allowed = {UNFIT: spec.unfit_is_null, SHORT: spec.short_is_null}
        fine = [status for status, is_null in allowed.items() if is_null and self._masks]
        return (result.status > 0) & ~np.isin(result.status, fine)

    def _refuse(self, problem: str, wrong: Flags, found: Spans, path: str) -> None:
        if wrong.any():
            raise self._refused(problem, int(found.where[np.argmax(wrong), 0]), path)

    def _problem(self, row: int) -> ValueRefused:
        """The error of a document; where no rule covers a value, its path is looked up."""
        problem = int(self.found.problems[row])
        path = self._uncovered(row) if problem == json_scan.UNCOVERED else ""
        return self._refused(_PROBLEMS[_NAMES[problem]], row, path)

    def _uncovered(self, row: int) -> str:
        known = {steps for *_, steps in self.rules}
        above = {steps[:length] for steps in known for length in range(1, len(steps))}
        for path, value in _leaves(_parsed(self.found.documents.value(row).decode())):
            if path not in known and (value is not None or path not in above):
                return render(path)
        return ""

    def _refused(self, problem: str, row: int, path: str) -> ValueRefused:
        column = self.leaf.column if self.leaf.column != COLUMN else ""
        place = f"{column}: {path}" if column and path else column or path
        rule = next((rule for name, rule, *_ in self.rules if name == path), "") or self.leaf.rule
        return ValueRefused(problem, column=place, row=int(self.rows[row]), rule=rule)


def _taken(spec: Spec, kinds: Bytes, direction: str) -> Flags:
    """Which values a mask takes, null among them: numbers only where their text is exact or the rule says `number`."""
    if direction == "mask" and methods.of(spec).takes is Takes.FLAGS:
        return np.ones(kinds.size, np.bool_)
    text, numbers = [json_scan.PLAIN, json_scan.ESCAPED], [json_scan.INTEGER, json_scan.FRACTION]
    if direction != "mask":
        taken = text
    elif spec.get("format") == "number":
        taken = [*numbers, json_scan.EXPONENT]
    else:
        taken = [*text, *numbers] if methods.of(spec).takes_ids else text
    return np.isin(kinds, [*taken, json_scan.NULL])


def texts(found: Spans) -> tuple[Text, Flags]:
    """Values as a mask takes them, and which hold half of a surrogate pair.

    Numbers are the shortest plain text, so that 42, 42.0 and "42" join.
    """
    kinds, starts, stops, data = found.kinds, found.where[:, 2], found.where[:, 3], found.documents.data
    alive = kinds != json_scan.NULL
    until = np.zeros_like(stops)
    shortest(data, stops, kinds == json_scan.FRACTION, alive, until)
    is_number = (kinds == json_scan.INTEGER) | (kinds == json_scan.FRACTION)
    is_zero = is_number & (until == starts + 2) & (data[starts] == _MINUS) & (data[starts + 1] == _ZERO)
    return json_string.texts(data, starts + is_zero, until, alive, kinds == json_scan.ESCAPED)


def _no_text(valid: Flags) -> Text:
    """Values of which only is known whether they are null."""
    return Text(np.zeros(0, np.uint8), ends(np.zeros(valid.size, np.int64)), valid)


def _parsed(document: str) -> Any:
    problem = ""
    try:
        return json.loads(
            document,
            object_pairs_hook=_Object,
            parse_int=str,
            parse_float=str,
            parse_constant=_constant,
        )
    except RecursionError:
        problem = "depth"
    except ValueError:
        problem = "json"
    raise _Broken(problem)


def _constant(_name: str) -> Any:
    raise _Broken("json")


def _leaves(document: Any) -> Iterator[tuple[Path, Any]]:
    """Walk to every leaf; an empty object or list does not hold one."""
    pending: list[tuple[Path, Any]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if len(path) > DEPTH:
            raise _Broken("depth")
        if isinstance(value, _Object):
            pending.extend(((*path, key), below) for key, below in reversed(value))
        elif isinstance(value, list):
            pending.extend(((*path, ITEM), below) for below in reversed(value))
        else:
            yield path, value
