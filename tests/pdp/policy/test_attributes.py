"""What the server's check of a request takes: each schema closes its own type or action, and types what it lists."""

from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.policy.attributes import Attributes
from pdp.policy.schema import Schemas, closed, schemas
from pdp.policy.sources import read, rego

TAGS = {"type": "array", "items": {"type": "string"}}
TABLE = {
    "type": "object",
    "properties": {"tags": TAGS, "size": {"$ref": "#/$defs/n"}},
    "$defs": {"n": {"type": "number"}},
}
OPEN = {"type": "object", "properties": {"owner": {"type": "string"}}, "additionalProperties": True}
PAY = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
ANY = {"type": "object", "properties": {"ticket": {"type": "string"}}}
USER = {"type": "object", "properties": {"level": {"type": "number"}}}


def faults(attributes: Attributes, **parts: Any) -> list[str]:
    """The paths that the schemas do not accept of a request that is empty but for `parts`."""
    request = {
        "subject": {"type": "user", "id": "a", "properties": {}},
        "on_behalf_of": [],
        "action": {"name": "read", "properties": {}},
        "resource": {"type": "table", "id": "t", "properties": {}},
        "context": {},
        **parts,
    }
    return [path for path, _ in attributes.faults(request)]


def resource(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "id": "r", "properties": properties}


@pytest.mark.parametrize(
    ("kind", "properties", "paths"),
    [
        ("table", {}, []),
        ("table", {"tags": ["pii"]}, []),
        ("table", {"tags": "pii"}, ["resource.properties.tags"]),
        ("table", {"tags": ["pii", 3]}, ["resource.properties.tags[1]"]),
        ("table", {"tgas": ["pii"]}, ["resource.properties"]),
        ("file", {}, []),
        ("file", {"anything": "goes"}, []),
        ("file", {"tags": ["pii"]}, []),
        ("file", {"tags": 7}, ["resource.properties.tags"]),
        ("file", {"size": None}, ["resource.properties.size"]),
        ("box", {"anything": "goes", "owner": "x"}, []),
        ("box", {"owner": 3}, ["resource.properties.owner"]),
        ("box", {"tags": 7}, ["resource.properties.tags"]),
    ],
)
def test_resource_fits_its_schema_and_the_names_of_others(
    kind: str, properties: dict[str, Any], paths: list[str]
) -> None:
    attributes = Attributes(Schemas({"table": closed(TABLE), "box": closed(OPEN)}))
    assert faults(attributes, resource=resource(kind, properties)) == paths
    assert faults(Attributes(Schemas()), resource=resource(kind, properties)) == []


def test_subjects_fit_their_schemas_in_the_chain_too() -> None:
    attributes = Attributes(Schemas(subjects={"user": closed(USER)}))
    wrong, right = resource("user", {"level": "5"}), resource("user", {"level": 5})
    assert faults(attributes, subject=right, on_behalf_of=[right, resource("agent", {"model": "x"})]) == []
    assert faults(attributes, subject=wrong) == ["subject.properties.level"]
    assert faults(attributes, on_behalf_of=[right, wrong]) == ["on_behalf_of[1].properties.level"]
    assert faults(attributes, on_behalf_of=[resource("agent", {"level": None})]) == ["on_behalf_of[0].properties.level"]


def test_actions_fit_their_schemas() -> None:
    attributes = Attributes(Schemas(actions={"export": closed(PAY)}))
    assert faults(attributes, action={"name": "export", "properties": {"days": 3}}) == []
    assert faults(attributes, action={"name": "export", "properties": {"days": None}}) == ["action.properties.days"]
    assert faults(attributes, action={"name": "export", "properties": {}}) == ["action.properties"]
    assert faults(attributes, action={"name": "read", "properties": {"other": 1}}) == []


@pytest.mark.parametrize(
    ("action", "context", "paths"),
    [
        ("pay", {"days": 3}, []),
        ("pay", {"days": "3"}, ["context.days"]),
        ("pay", {}, ["context"]),
        ("pay", {"days": 3, "dasy": 4}, ["context"]),
        ("read", {}, []),
        ("read", {"days": "of another action"}, []),
        ("unmask", {"columns": ["a"], "count": 1, "tokens_sha256": "x"}, []),
        ("unmask", {"count": "1"}, ["context.count"]),
    ],
)
def test_context_fits_its_actions_schema(action: str, context: dict[str, Any], paths: list[str]) -> None:
    attributes = Attributes(Schemas(contexts={"pay": closed(PAY)}))
    assert faults(attributes, action={"name": action, "properties": {}}, context=context) == paths


@pytest.mark.parametrize(
    ("action", "context", "paths"),
    [
        ("pay", {"days": 3, "ticket": "T-1"}, []),
        ("pay", {"days": 3, "ticket": None}, ["context.ticket"]),
        ("pay", {"days": 3, "other": 1}, ["context"]),
        ("read", {"ticket": "T-1"}, []),
        ("read", {"ticket": 1}, ["context.ticket"]),
        ("read", {"days": 3}, ["context"]),
        ("unmask", {"ticket": "T-1", "count": 3}, []),
        ("unmask", {"ticket": 1, "count": 3}, ["context.ticket"]),
    ],
)
def test_any_actions_schema_holds_beside_an_actions_own(action: str, context: dict[str, Any], paths: list[str]) -> None:
    attributes = Attributes(Schemas(contexts={"pay": closed(PAY), "any": closed(ANY)}))
    assert faults(attributes, action={"name": action, "properties": {}}, context=context) == paths


def test_what_the_server_sets_is_known_beside_what_the_author_lists() -> None:
    own = {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket", "count"]}
    attributes = Attributes(Schemas(contexts={"unmask": closed(own)}))
    unmask = {"name": "unmask", "properties": {}}
    assert faults(attributes, action=unmask, context={"ticket": "T-1"}) == []  # before the server adds its own
    assert faults(attributes, action=unmask, context={"ticket": "T-1", "count": 3}) == []
    assert faults(attributes, action=unmask, context={"count": 3}) == ["context"]


def test_reference_policy_takes_what_it_lists() -> None:
    attributes = Attributes(schemas(read([rego()])))
    assert faults(attributes, resource=resource("table", {"tags": ["pii"]})) == []
    assert faults(attributes, resource=resource("table", {"tgas": ["pii"]})) == ["resource.properties"]


def test_description_quotes_no_value() -> None:
    attributes = Attributes(Schemas({"table": closed(TABLE)}))
    request = {
        "subject": resource("user", {}),
        "on_behalf_of": [],
        "action": {"name": "a", "properties": {}},
        "context": {},
    }
    for kind in ("table", "file"):
        (fault,) = attributes.faults({**request, "resource": resource(kind, {"tags": "secret"})})
        assert "secret" not in fault[1]


def test_schema_fetches_nothing() -> None:
    away = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}}
    with pytest.raises(SetupError, match=r"table\.json is not a JSON Schema"):
        Attributes(Schemas({"table": away}))
    with pytest.raises(SetupError, match=r"schema/context/pay\.json is not a JSON Schema"):
        Attributes(Schemas(contexts={"pay": away}))
