"""The leaves of a request: each value with its path, as policies write it and as people read it."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.struct_pb2 import Struct, Value

from pdp.v1.request_pb2 import Request
from pdp.visible import quoted, step


class Leaf(NamedTuple):
    """One value: `path` as in a policy (`resource.properties.rows`), `label` for people (`resource.rows`), its text."""

    path: str
    label: str
    text: str


def of_request(asked: Request) -> Iterator[Leaf]:
    """Every leaf, in the order in which requests are shown."""
    yield from of_struct("subject.properties", "who", asked.subject.properties)
    for index, principal in enumerate(asked.on_behalf_of):
        yield from of_struct(f"on_behalf_of[{index}].properties", "on behalf of", principal.properties)
    yield from of_struct("action.properties", "action", asked.action.properties)
    yield from of_struct("resource.properties", "resource", asked.resource.properties)
    yield from of_struct("context", "context", asked.context)


def of_struct(path: str, label: str, struct: Struct) -> Iterator[Leaf]:
    """Every leaf below a struct, in the order of its keys."""
    for key in sorted(struct.fields):
        yield from _of_value(f"{path}{_step(key)}", f"{label}{step(key)}", struct.fields[key])


def _of_value(path: str, label: str, value: Value) -> Iterator[Leaf]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value" and value.struct_value.fields:
        yield from of_struct(path, label, value.struct_value)
    elif kind == "list_value" and value.list_value.values:
        for index, item in enumerate(value.list_value.values):
            yield from _of_value(f"{path}[{index}]", f"{label}[{index}]", item)
    else:
        yield Leaf(path, label, _json(value))


def _json(value: Value) -> str:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return quoted(value.string_value)
    if kind == "number_value":
        number = value.number_value
        return str(int(number)) if number.is_integer() else repr(number)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return {"null_value": "null", "struct_value": "{}", "list_value": "[]"}[kind or "null_value"]


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key, ensure_ascii=False)}]"
