"""Requests with any context."""

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct, Value

from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.parts import asking


def with_context(context: dict[str, Any]) -> AuthorizeRequest:
    """`Struct.update` would stumble over the empty key and over lists in lists."""
    message = asking()
    fill(message.context, context)
    return message


def fill(into: Struct, members: dict[str, Any]) -> None:
    for key, value in members.items():
        into.fields[key].CopyFrom(json_format.ParseDict(value, Value()))
