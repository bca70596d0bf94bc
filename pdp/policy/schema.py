"""The schema of what policies may read: the request, the properties of each type of resource, each action's context."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import orjson

from pdp.errors import SetupError
from pdp.policy.encoding import unreadable
from pdp.policy.finding import Finding
from pdp.policy.notation import lost
from pdp.policy.sources import Source

Schema = dict[str, Any]

RESOURCES = PurePosixPath("schema/resource")
"""The path in a policy's folder that holds `<type>.json`, the JSON Schema of that type's properties."""

CONTEXTS = PurePosixPath("schema/context")
"""The path in a policy's folder that holds `<action>.json`, the JSON Schema of that action's context."""

UNKNOWN: Schema = {}
TEXT: Schema = {"type": "string"}
ANY: Schema = {"type": "object"}
TEXTS: Schema = {"type": "array", "items": TEXT}
NUMBER: Schema = {"type": "integer"}

GIVEN: Mapping[str, Mapping[str, Schema]] = {
    "unmask": {
        "columns": TEXTS,
        "domains": TEXTS,
        "column_domains": TEXTS,
        "count": NUMBER,
        "chunks": NUMBER,
        "tokens_sha256": TEXT,
        "tokens_tree": TEXT,
    }
}
"""Members of an action's context that the server sets. A policy may read them without listing them."""


_DEEPEST = 16
"""Steps of `$ref` that are followed. It ends a schema that refers to itself."""


class Schemas(NamedTuple):
    """The closed schemas of a policy: resource type -> properties, action -> context. What has none at all is open."""

    resources: Mapping[str, Schema] = {}
    contexts: Mapping[str, Schema] = {}


def schemas(sources: Iterable[Source]) -> Schemas:
    """The schemas among `sources`. Raises `SetupError` that names each bad one."""
    found, findings = parsed(sources)
    if findings:
        raise SetupError("\n".join(map(str, findings)))
    return found


def parsed(sources: Iterable[Source]) -> tuple[Schemas, list[Finding]]:
    """The schemas among `sources`, and a finding for each that is not a schema, or lies where nothing reads it."""
    found: dict[PurePosixPath, dict[str, Schema]] = {RESOURCES: {}, CONTEXTS: {}}
    findings = []
    for source in sources:
        if not source.is_schema:
            continue
        folder = next((folder for folder in found if source.path.is_relative_to(folder)), None)
        if folder is None:
            sentence = f"nothing reads a schema here; move it to {RESOURCES}/<type>.json or {CONTEXTS}/<action>.json"
            findings.append(Finding(source.shown, 0, "stray-file", sentence))
            continue
        try:
            found[folder][str(source.path.relative_to(folder))[: -len(".json")]] = closed(orjson.loads(source.content))
            findings += lost(source)
        except ValueError as error:
            wanted = f'write a JSON Schema of the {_of(folder)}, an object with "type": "object" and "properties"'
            findings.append(unreadable(source, error, "bad-schema", wanted))
    return Schemas(found[RESOURCES], _with_given(found[CONTEXTS])), findings


def _of(folder: PurePosixPath) -> str:
    return "properties" if folder == RESOURCES else "context"


def _with_given(contexts: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """The schemas of contexts, where there are any, with the members that the server sets."""
    if not contexts:
        return contexts
    return {**contexts, **{action: _joined(contexts.get(action), given) for action, given in GIVEN.items()}}


def _joined(schema: Schema | None, given: Mapping[str, Schema]) -> Schema:
    own = schema or closed({**ANY, "properties": {}})
    required = [name for name in own.get("required", ()) if name not in given]
    return {**own, "properties": {**own["properties"], **given}, "required": required}


def closed(schema: Any) -> Schema:
    """`schema`, closed to names that it does not list, unless it says otherwise.

    Raises `ValueError` if it is not the schema of an object.
    """
    match schema:
        case {"type": "object", "properties": dict()}:
            return {"additionalProperties": False, **schema}
        case _:
            raise ValueError


def request(found: Schemas) -> Schema:
    """The schema of OPA's input. Where there are schemas, a name that none of them lists is unknown."""
    return record(
        subject=entity(ANY),
        on_behalf_of={"type": "array", "items": entity(ANY)},
        action=record(name=TEXT, properties=ANY),
        resource=entity(_any_of(found.resources)),
        context=_any_of(found.contexts),
        caller=record(identity=TEXT, kind=TEXT, groups=TEXTS),
        now=NUMBER,
    )


def _any_of(found: Mapping[str, Schema]) -> Schema:
    choices = [{**resolved(schema, schema), "additionalProperties": False} for schema in found.values()]
    return {"anyOf": choices} if choices else ANY


def resolved(schema: Any, root: Schema, left: int = _DEEPEST) -> Schema:
    """`schema` without references, which lead nowhere inside another schema, and with `oneOf` as `anyOf`."""
    if not isinstance(schema, dict) or not left:
        return UNKNOWN
    if isinstance(reference := schema.get("$ref"), str):
        return resolved(_at(root, reference), root, left - 1)
    if one := schema.get("oneOf") or schema.get("anyOf"):
        return {"anyOf": [resolved(choice, root, left - 1) for choice in one]}
    inner = {name: resolved(value, root, left) for name, value in schema.get("properties", {}).items()}
    items = {"items": resolved(schema["items"], root, left)} if "items" in schema else {}
    kept = {key: value for key, value in schema.items() if key not in {"$defs", "definitions"}}
    return {**kept, **({"properties": inner} if inner else {}), **items}


def _at(root: Any, reference: str) -> Any:
    for step in reference.removeprefix("#").split("/")[1:] if reference.startswith("#") else ["?"]:
        root = root.get(step) if isinstance(root, dict) else None
    return root


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
