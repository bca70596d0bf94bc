from typing import Any

import pytest
from google.protobuf import json_format

from pdp.dev.losses import Losses
from pdp.v1.decision_pb2 import AuthorizeRequest

WHOLE: dict[str, Any] = {
    "subject": {"type": "agent", "id": "a"},
    "onBehalfOf": [{"type": "user", "id": "b"}],
    "action": {"name": "export"},
    "resource": {"type": "table", "id": "t", "properties": {"tags": ["pii"]}},
}


@pytest.mark.parametrize(
    ("lost", "path"),
    [
        ({"context": {}}, "context"),
        ({"resource": {"type": "table", "id": "t", "properties": {}}}, "resource.properties"),
        ({"action": {"name": "export", "properties": {}}}, "action.properties"),
        ({"subject": {"type": "agent", "id": "a", "properties": {}}}, "subject.properties"),
        ({"onBehalfOf": [{"type": "user", "id": "b", "properties": {}}]}, "on_behalf_of[0].properties"),
    ],
)
def test_a_caller_with_an_empty_struct_is_named_once(lost: dict[str, Any], path: str) -> None:
    said: list[str] = []
    losses = Losses(said.append)
    for caller in ("agent:x", "agent:x", "agent:y"):
        losses(json_format.ParseDict({**WHOLE, **lost}, AuthorizeRequest()), caller)
    assert [caller in sentence for caller, sentence in zip(("agent:x", "agent:y"), said, strict=True)] == [True, True]
    assert path in said[0]


def test_who_leaves_a_struct_out_or_fills_it_is_not_named() -> None:
    said: list[str] = []
    for more in ({}, {"context": {"rows": 1}}, {"contextJson": "{}"}):
        Losses(said.append)(json_format.ParseDict({**WHOLE, **more}, AuthorizeRequest()), "agent:x")
    assert said == []
