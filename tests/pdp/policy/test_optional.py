"""Members that a caller could add: of each source, at each place, and none that is there."""

from typing import Any

from pdp.policy.inference import Inference
from pdp.policy.optional import Optional
from pdp.policy.schema import Schemas

REQUEST: dict[str, Any] = {
    "subject": {"type": "agent", "id": "bot", "properties": {}},
    "on_behalf_of": [{"type": "user", "id": "alice", "properties": {}}, {"type": "user", "id": "b", "properties": {}}],
    "action": {"name": "export", "properties": {}},
    "resource": {"type": "table", "id": "t", "properties": {"tags": ["pii"]}},
    "context": {"rows": 5, "team": {}},
}
TEAM = {"type": "object", "properties": {"lead": {"enum": ["a", "b"]}}}
SCHEMAS = Schemas(
    contexts={"export": {"type": "object", "properties": {"rows": {"minimum": 1}, "team": TEAM}}},
    subjects={"user": {"type": "object", "properties": {"level": {"type": "number"}}}},
)
NOTHING_READ = Inference([], {}, Schemas(), [])


def added(*others: dict[str, Any]) -> dict[tuple[str, str], Any]:
    optional = Optional(SCHEMAS, NOTHING_READ, others)
    return {(each.path, each.change): each.request for each in optional.variants(REQUEST)}


def test_members_of_schemas_are_added_where_they_are_lacking() -> None:
    found = added()
    assert {path for path, _ in found} == {"context.team.lead", "subject.properties.level", _CHAINED}
    assert found["context.team.lead", "added as a schema lists it"]["context"] == {"rows": 5, "team": {"lead": "b"}}
    assert found[_CHAINED, "added 1"]["on_behalf_of"][1]["properties"] == {"level": 1}


def test_members_of_other_requests_are_added() -> None:
    found = added({**REQUEST, "context": {"urgent": True}})
    assert {change for path, change in found if path == "context.urgent"} == {
        "added true",
        "added false",
        "added 1",
        "added a text",
    }


_CHAINED = "on_behalf_of[].properties.level"
