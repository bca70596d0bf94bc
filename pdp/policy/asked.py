"""The schema of OPA's input: what the contract promises, and what the schemas of a policy say of the rest. Pure."""

from collections.abc import Collection, Mapping

from pdp.policy.family import context_of, read_of
from pdp.policy.schema import NUMBER, TEXT, TEXTS, Schema, Schemas

Named = Mapping[str, Collection[str]]
"""The types or actions that a rule names: under `resource`, `subject` and `action`. What it does not name is any."""

KIND: Schema = {**TEXT, "enum": ["person", "workload", ""]}
"""Of a caller. It is empty where an approval is decided again for its requester."""


def record(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


LINEAGE: Schema = {
    "type": "object",
    "properties": {
        "state": {**TEXT, "enum": ["OFF", "NONE", "UNKNOWN", "AMBIGUOUS", "KNOWN"]},
        "datasets": {"type": "array", "items": record(namespace=TEXT, name=TEXT)},
        "tags": TEXTS,
        "columns": {"type": "object", "properties": {}, "additionalProperties": TEXTS},
        "coarse": {"type": "boolean"},
        "revision": record(n=NUMBER, head=TEXT),
        "truncated": {"type": "boolean"},
    },
    "required": ["state"],
    "additionalProperties": False,
}
"""What the server knows of the data. Only the state is always there."""


def request(found: Schemas, named: Named | None = None) -> Schema:
    """The schema of OPA's input, for a rule that names these types and actions."""
    given = named or {}
    subject, resource, action = (given.get(of) for of in ("subject", "resource", "action"))
    return record(
        subject=entity(read_of(found.subjects, subject)),
        on_behalf_of={"type": "array", "items": entity(read_of(found.subjects, None))},
        action=record(name=TEXT, properties=read_of(found.actions, action)),
        resource=entity(read_of(found.resources, resource)),
        context=context_of(found, action),
        caller=record(identity=TEXT, kind=KIND, groups=TEXTS),
        now=NUMBER,
        lineage=LINEAGE,
    )


def for_opa(schema: Schema) -> Schema:
    """The schema for OPA's type check, which takes every object that lists names for a closed one."""
    found = {**schema}
    if "properties" in schema and schema.get("additionalProperties", False) is not False:
        found = {
            key: value for key, value in schema.items() if key not in {"properties", "required", "additionalProperties"}
        }
    if "properties" in found:
        found["properties"] = {name: for_opa(inner) for name, inner in found["properties"].items()}
    if isinstance(found.get("items"), dict):
        found["items"] = for_opa(found["items"])
    return {**found, "anyOf": [for_opa(choice) for choice in found["anyOf"]]} if "anyOf" in found else found


def entity(properties: Schema) -> Schema:
    """A subject or a resource."""
    return record(type=TEXT, id=TEXT, properties=properties)
