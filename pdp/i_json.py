"""Free attributes as I-JSON (RFC 7493): one walk over a Struct, or over text, that names the path of what it refuses.

Both forms are held to the same rules and become the same values, so a request has one canonical form either way. A
number is a double in both. Text is read by Python's own reader, in a form that shows what it would otherwise pass over:
an object is the list of its pairs, so that a name that stands in it twice is found.
"""

import json
import math
import re
from typing import Any, TypeAlias

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from pdp.bad_fields import Refused, step

MAX_NESTING = 32
"""Levels of nesting in properties and context: a limit of the contract."""
MAX_WHOLE_NUMBER = 2**53 - 1
"""The largest whole number that I-JSON (RFC 7493) lets a reader keep exactly."""
_FRAME_BYTES, _DOUBLE_BYTES = 4, 7
"""Bytes that a value takes in a Struct, at least, and those that a double takes beyond them."""
_SMALLEST_PLAIN_FRACTION = 1e-4
"""A fraction below it may have an exponent in RFC 8785 where orjson writes zeros."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_READER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=float)
"""Gives objects as tuples of pairs, lists as lists, and every number as a double, as a Struct has it."""
Pairs: TypeAlias = tuple[tuple[str, Any], ...]
"""An object as it stands in text: each name with its value, in their order."""


class Reader:
    """Reads free attributes. `plain` stays true as long as orjson's output equals RFC 8785.

    What comes as text may hold as much as Structs of `room` bytes, all texts together: zeros are short as text, and six
    times as large in the Struct of which an answer is made.
    """

    def __init__(self, room: int) -> None:
        self.plain = True
        self.room = room

    def struct(self, struct: Struct) -> dict[str, Any]:
        """The members of a Struct. Raises `Refused`."""
        return self._struct(struct, 1)

    def text(self, text: str) -> dict[str, Any]:
        """The members of one I-JSON object as text. Raises `Refused`."""
        return self._object(parsed(text), 1)

    def object(self, pairs: Pairs) -> dict[str, Any]:
        """The members of an object that `parsed` has read. Raises `Refused`."""
        return self._object(pairs, 1)

    def value(self, value: Any) -> Any:
        """Any value inside of what `parsed` has read. Raises `Refused`."""
        return self._read(value, 0)

    def _struct(self, struct: Struct, depth: int) -> dict[str, Any]:
        _within_nesting(depth)
        members, bad = {}, None
        for key, value in struct.fields.items():
            try:
                members[self._key(key)] = self._value(value, depth)
            except Refused as refused:
                bad = refused.within(step(key)).behind(bad)
        if bad is not None:
            raise bad
        return members

    def _list(self, values: ListValue, depth: int) -> list[Any]:
        _within_nesting(depth)
        items, bad = [], None
        for index, value in enumerate(values.values):
            try:
                items.append(self._value(value, depth))
            except Refused as refused:
                bad = refused.within(f"[{index}]").behind(bad)
        if bad is not None:
            raise bad
        return items

    def _value(self, value: Value, depth: int) -> Any:
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            return _text(value.string_value)
        if kind == "number_value":
            return self._number(value.number_value)
        if kind == "bool_value":
            return value.bool_value
        if kind == "struct_value":
            return self._struct(value.struct_value, depth + 1)
        if kind == "list_value":
            return self._list(value.list_value, depth + 1)
        if kind == "null_value":
            return None
        raise Refused("has no value; leave it out or send null")

    def _object(self, pairs: Pairs, depth: int) -> dict[str, Any]:
        _within_nesting(depth)
        members, bad = dict[str, Any](), None
        for key, value in pairs:
            try:
                self._weigh(len(key))
                members[_new(self._key(_well_formed(key)), members)] = self._read(value, depth)
            except Refused as refused:
                bad = refused.within(step(key)).behind(bad)
        if bad is not None:
            raise bad
        return members

    def _array(self, values: list[Any], depth: int) -> list[Any]:
        _within_nesting(depth)
        items, bad = [], None
        for index, value in enumerate(values):
            try:
                items.append(self._read(value, depth))
            except Refused as refused:
                bad = refused.within(f"[{index}]").behind(bad)
        if bad is not None:
            raise bad
        return items

    def _read(self, value: Any, depth: int) -> Any:
        """A value that came as text: what `_value` is for a Struct's."""
        self._weigh(_FRAME_BYTES)
        if isinstance(value, str):
            self._weigh(len(value))
            return _text(_well_formed(value))
        if isinstance(value, float):
            self._weigh(_DOUBLE_BYTES)
            return self._number(value)
        if isinstance(value, tuple):
            return self._object(value, depth + 1)
        if isinstance(value, list):
            return self._array(value, depth + 1)
        return value

    def _weigh(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise Refused("holds more than a Struct may; send less", is_last=True)

    def _key(self, key: str) -> str:
        if not key.isascii():
            self.plain = False
        return _text(key)

    def _number(self, number: float) -> int | float:
        if not math.isfinite(number):
            raise Refused("is not a finite number; send a string")
        if number.is_integer():
            if abs(number) > MAX_WHOLE_NUMBER:
                raise Refused("is a whole number beyond 2^53-1, which JSON readers change silently; send a string")
            return int(number)
        if abs(number) < _SMALLEST_PLAIN_FRACTION:
            self.plain = False
        return number


def parsed(text: str) -> Pairs:
    """One JSON object as text. Nothing in it is checked yet. Raises `Refused` where it is none."""
    try:
        read = _READER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"is not one JSON object: it cannot be read from character {error.pos + 1} on") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(read, tuple):
        raise Refused("is not a JSON object; send one, such as {}")
    return read


def well_formed(value: str) -> str:
    """Text that came as JSON, unless it has half of a surrogate pair: then raises `Refused`."""
    return _text(_well_formed(value))


def _new(key: str, members: dict[str, Any]) -> str:
    if key in members:
        raise Refused("stands in its object twice; of the two one reader keeps the first, another the last")
    return key


def _within_nesting(depth: int) -> None:
    if depth > MAX_NESTING:
        raise _too_deep()


def _too_deep() -> Refused:
    return Refused(f"nests deeper than {MAX_NESTING} levels; flatten it or send it as a string")


def _text(value: str) -> str:
    if "\0" in value:
        raise Refused("contains U+0000; remove it")
    return value


def _well_formed(value: str) -> str:
    """Text that came as JSON; a Struct's was valid UTF-8 already."""
    if not value.isascii() and _LONE_SURROGATE.search(value):
        raise Refused("contains half of a surrogate pair; remove it or write both halves")
    return value
