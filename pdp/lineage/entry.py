"""Facts as the log keeps them: one RFC 8785 object each, and back, without a second way to write anything.

1. The object has the fact's `kind` and its fields; a field that has its default is left out.
2. A dataset stands once in `datasets`, in the order of first use; elsewhere it is its place there, from 0.
3. A mapping is the list of its pairs, sorted by key, so that names from outside are never keys.
4. `decode` takes exactly the bytes that `encode` writes.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, NamedTuple, cast, get_args, get_origin, get_type_hints

import orjson

from pdp.canonical import jcs
from pdp.lineage import fact

_SMALLEST_PLAIN_FRACTION = 1e-4
"""A fraction below it may have an exponent in RFC 8785 where orjson writes zeros."""
_KINDS: dict[str, type[Any]] = {
    "event": fact.Event,
    "tagged": fact.Tagged,
    "classified": fact.Classified,
    "untagged": fact.Untagged,
    "edge_ended": fact.EdgeEnded,
    "unlinked": fact.Unlinked,
    "declassified": fact.Declassified,
    "rules": fact.Rules,
    "clock": fact.Clock,
    "suggested": fact.Suggested,
    "settled": fact.Settled,
}
"""What each kind of fact is called in the log, for good."""


class NotAnEntry(ValueError):
    """Bytes of the log are not a fact as this version writes it. The text names where, never what stands there."""


class _Table:
    """The datasets of one entry, and whether its numbers are written alike by orjson and RFC 8785."""

    def __init__(self, datasets: Sequence[fact.Dataset] = ()) -> None:
        self.places = {dataset: place for place, dataset in enumerate(datasets)}
        self.datasets = datasets
        self.plain = True


class _Form(NamedTuple):
    """How values of one type are written and read."""

    write: Callable[[Any, _Table], Any]
    read: Callable[[Any, _Table], Any]


def encode(entry: fact.Fact) -> bytes:
    """The bytes of a fact. Raises `ValueError` for numbers and texts that JSON has not."""
    table = _Table()
    kind = _KIND_OF[type(entry)]
    members = _FORMS[kind].write(entry, table) | {"kind": kind}
    if table.places:
        members["datasets"] = [list(dataset) for dataset in table.places]
    try:
        return jcs(members, plain=table.plain)
    except TypeError:  # orjson's error
        raise ValueError("a fact has a text or a number that JSON cannot hold") from None


def decode(encoded: bytes) -> fact.Fact:
    """The fact that `encode` wrote as these bytes. Raises `NotAnEntry` for all others."""
    try:
        members = orjson.loads(encoded)
        table = _Table([_dataset(pair) for pair in members.pop("datasets", [])])
        found = _FORMS[members.pop("kind")].read(members, table)
        if encode(found) == encoded:
            return cast("fact.Fact", found)
    except NotAnEntry:
        raise
    except (ValueError, LookupError, TypeError, AttributeError):
        raise NotAnEntry("is not a fact of a known kind") from None
    raise NotAnEntry("is not written as facts are")


def _dataset(pair: Any) -> fact.Dataset:
    namespace, name = _list(pair)
    return fact.Dataset(_of(str, namespace), _of(str, name))


def _of(kind: type, value: Any) -> Any:
    """`value` itself, if it is of exactly this type: True is not a number."""
    if type(value) is not kind:
        raise NotAnEntry(f"has a value that is not of type {kind.__name__}")
    return value


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", _of(list, value))


def _form(hint: Any) -> _Form:
    """How values of a type are written, by its annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return _form(next(one for one in arguments if one is not NoneType))
    if origin is not None:
        return _generic(origin, arguments)
    if hint is fact.Dataset:
        return _Form(lambda dataset, table: table.places.setdefault(dataset, len(table.places)), _placed)
    if issubclass(hint, tuple):
        return _row([_form(one) for one in get_type_hints(hint).values()], hint)
    return _record(hint) if dataclasses.is_dataclass(hint) else _scalar(hint)


def _generic(origin: Any, arguments: Sequence[Any]) -> _Form:
    if origin is tuple:
        return _row([_form(one) for one in arguments], lambda *values: values)
    return _mapping(*map(_form, arguments)) if issubclass(origin, Mapping) else _sequence(arguments[0])


def _placed(place: Any, table: _Table) -> fact.Dataset:
    if not 0 <= _of(int, place) < len(table.datasets):
        raise NotAnEntry("names a dataset that it does not list")
    found: fact.Dataset = table.datasets[place]
    return found


def _scalar(hint: type) -> _Form:
    if issubclass(hint, StrEnum):
        return _Form(lambda value, _: value.value, lambda value, _: hint(value))
    if hint is float:
        return _Form(_number, _fraction)
    return _Form(lambda value, _: value, lambda value, _: _of(hint, value))


def _number(value: float, table: _Table) -> float:
    if not math.isfinite(value):
        raise ValueError("a number of a fact is not finite")
    if value.is_integer():
        return int(value)
    table.plain = table.plain and abs(value) >= _SMALLEST_PLAIN_FRACTION
    return value


def _fraction(value: Any, _: _Table) -> float:
    return float(value if type(value) is int else _of(float, value))


def _row(forms: Sequence[_Form], make: Callable[..., Any]) -> _Form:
    def read(values: Any, table: _Table) -> Any:
        return make(*(form.read(value, table) for form, value in zip(forms, _list(values), strict=True)))

    return _Form(lambda row, table: [form.write(value, table) for form, value in zip(forms, row, strict=True)], read)


def _sequence(hint: Any) -> _Form:
    write, read = _form(hint)
    if hint is str:
        return _Form(lambda texts, _: list(texts), lambda texts, _: tuple(_of(str, text) for text in _list(texts)))
    return _Form(
        lambda values, table: [write(value, table) for value in values],
        lambda values, table: tuple(read(value, table) for value in _list(values)),
    )


def _mapping(key: _Form, value: _Form) -> _Form:
    pair = _row([key, value], lambda *both: both)
    return _Form(
        lambda mapping, table: [pair.write(both, table) for both in sorted(mapping.items(), key=lambda both: both[0])],
        lambda pairs, table: dict(pair.read(both, table) for both in _list(pairs)),
    )


def _record(hint: Any) -> _Form:
    hints = get_type_hints(hint)
    fields = dataclasses.fields(hint)
    forms = {one.name: _form(hints[one.name]) for one in fields}
    defaults = {one.name: _default(one, forms[one.name]) for one in fields}

    def write(record: Any, table: _Table) -> dict[str, Any]:
        given = ((name, value) for name in forms if (value := getattr(record, name)) is not None)
        written = ((name, forms[name].write(value, table)) for name, value in given)
        return {name: value for name, value in written if value != defaults[name]}

    def read(members: Any, table: _Table) -> Any:
        if not _of(dict, members).keys() <= forms.keys():
            raise NotAnEntry("has a member that its kind does not have")
        return hint(**{name: forms[name].read(members[name], table) for name in forms if name in members})

    return _Form(write, read)


def _default(one: "dataclasses.Field[Any]", form: _Form) -> Any:
    """A field's default as it would be written; None where it has none, or has None, which is never written."""
    value = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
    return None if value is None or value is dataclasses.MISSING else form.write(value, _Table())


_FORMS = {kind: _record(hint) for kind, hint in _KINDS.items()}
_KIND_OF = {hint: kind for kind, hint in _KINDS.items()}
