"""The leaves of a request: each value with its path, as policies write it and as people read it."""

import json
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from google.protobuf.struct_pb2 import Struct, Value

from pdp.view.theirs import Theirs
from pdp.visible import step

Steps: TypeAlias = tuple[Theirs | int, ...]
"""The way to a value: keys, and places in lists."""


class Leaf(NamedTuple):
    """One value.

    `path` is as in a policy (`resource.properties.rows`); `part` is in our words where it is, and `steps` lead from
    there. `value` is a text of theirs, or other JSON. `stands_for` names what a hash stands for.
    """

    path: Theirs
    part: str
    steps: Steps
    value: Theirs | str
    stands_for: str = ""

    @property
    def label(self) -> str:
        """The way to it, as people read it: `resource.rows`."""
        return self.part + "".join(f"[{one}]" if isinstance(one, int) else step(one.text) for one in self.steps)

    @property
    def text(self) -> str:
        """The value as JSON in which hidden characters are visible."""
        return self.value.quoted if isinstance(self.value, Theirs) else self.value


def of_struct(path: str, part: str, struct: Struct, steps: Steps = ()) -> Iterator[Leaf]:
    """Every leaf below a struct, in the order of its keys."""
    for key in sorted(struct.fields):
        yield from _of_value(f"{path}{_step(key)}", part, struct.fields[key], (*steps, Theirs(key)))


def _of_value(path: str, part: str, value: Value, steps: Steps) -> Iterator[Leaf]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value" and value.struct_value.fields:
        yield from of_struct(path, part, value.struct_value, steps)
    elif kind == "list_value" and value.list_value.values:
        for index, item in enumerate(value.list_value.values):
            yield from _of_value(f"{path}[{index}]", part, item, (*steps, index))
    else:
        yield Leaf(Theirs(path), part, steps, _value(value))


def _value(value: Value) -> Theirs | str:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return Theirs(value.string_value)
    if kind == "number_value":
        number = value.number_value
        return str(int(number)) if number.is_integer() else repr(number)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return {"null_value": "null", "struct_value": "{}", "list_value": "[]"}[kind or "null_value"]


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key, ensure_ascii=False)}]"
