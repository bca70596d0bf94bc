"""The schema of what policies may read: the request, and the properties of each type of resource."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.finding import Finding
from pdp.policy.sources import Source

Schema = dict[str, Any]

RESOURCES = PurePosixPath("schema/resource")
"""The path in a policy's folder that holds `<type>.json`, the JSON Schema of that type's properties."""

TEXT: Schema = {"type": "string"}
ANY: Schema = {"type": "object"}


def schemas(sources: Iterable[Source]) -> dict[str, Schema]:
    """Resource type -> closed schema of its properties. It is empty if `sources` hold no schema; then they are open."""
    found, findings = parsed(sources)
    if findings:
        raise SetupError("\n".join(map(str, findings)))
    return found


def parsed(sources: Iterable[Source]) -> tuple[dict[str, Schema], list[Finding]]:
    """The schemas among `sources`, and a finding for each that is not a schema."""
    found: dict[str, Schema] = {}
    findings = []
    for source in sources:
        if not source.is_schema or source.path.parent != RESOURCES:
            continue
        try:
            found[source.path.stem] = closed(orjson.loads(source.content))
        except ValueError:
            sentence = 'write a JSON Schema of the properties, an object with "type": "object" and "properties"'
            findings.append(Finding(source.shown, 0, "bad-schema", sentence))
    return found, findings


def closed(schema: Any) -> Schema:
    """`schema`, closed to names that it does not list, unless it says otherwise.

    Raises `ValueError` if it is not the schema of an object.
    """
    match schema:
        case {"type": "object", "properties": dict()}:
            return {"additionalProperties": False, **schema}
        case _:
            raise ValueError


def request(resources: Mapping[str, Schema]) -> Schema:
    """The schema of OPA's input. If there are `resources`, a property that none of them lists is unknown."""
    closed_types = [{**schema, "additionalProperties": False} for schema in resources.values()]
    properties = {"anyOf": closed_types} if closed_types else ANY
    return record(
        subject=entity(ANY),
        on_behalf_of={"type": "array", "items": entity(ANY)},
        action=record(name=TEXT, properties=ANY),
        resource=entity(properties),
        context=ANY,
        caller=record(identity=TEXT, kind=TEXT, groups={"type": "array", "items": TEXT}),
        now={"type": "integer"},
    )


def record(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def entity(properties: Schema) -> Schema:
    """A subject or a resource."""
    return record(type=TEXT, id=TEXT, properties=properties)


def knows(schema: Schema, path: Sequence[str]) -> bool:
    """Whether an input of `schema` can have `path`."""
    if not path:
        return True
    choices = schema.get("anyOf", [schema])
    return any(_enters(choice, path) for choice in choices)


def _enters(schema: Schema, path: Sequence[str]) -> bool:
    listed: Mapping[str, Schema] = schema.get("properties", {})
    if path[0] in listed:
        return knows(listed[path[0]], path[1:])
    return schema.get("additionalProperties", True) is not False


def promises(schema: Schema, path: Sequence[str]) -> bool:
    """Whether every input of `schema` has `path`."""
    if not path:
        return True
    certain = path[0] in schema.get("required", ()) and "anyOf" not in schema
    return certain and promises(schema["properties"][path[0]], path[1:])
