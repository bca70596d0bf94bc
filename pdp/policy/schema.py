"""The schemas of what callers send: properties of resources, subjects and actions, and the context of each action."""

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

ANY_ACTION = "any"
"""`schema/context/any.json` is the schema of every action's context, beside the action's own."""

SUBJECTS = PurePosixPath("schema/subject")
"""The path of `<type>.json`, the JSON Schema of the properties of such a subject, and of such a member of the chain."""

ACTIONS = PurePosixPath("schema/action")
"""The path of `<name>.json`, the JSON Schema of that action's properties."""

UNKNOWN: Schema = {}
TEXT: Schema = {"type": "string"}
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
    """The schemas of a policy: of properties by the type of resource or subject, or by action; of contexts by action.

    Each is closed, unless it says otherwise. What has none is open.
    """

    resources: Mapping[str, Schema] = {}
    contexts: Mapping[str, Schema] = {}
    subjects: Mapping[str, Schema] = {}
    actions: Mapping[str, Schema] = {}


FOLDERS = (RESOURCES, CONTEXTS, SUBJECTS, ACTIONS)
"""Where the schemas of each field of `Schemas` lie."""


def schemas(sources: Iterable[Source]) -> Schemas:
    """The schemas among `sources`. Raises `SetupError` that names each bad one."""
    found, findings = parsed(sources)
    if findings:
        raise SetupError("\n".join(map(str, findings)))
    return found


def parsed(sources: Iterable[Source]) -> tuple[Schemas, list[Finding]]:
    """The schemas among `sources`, and a finding for each that is not a schema, or lies where nothing reads it."""
    found: dict[PurePosixPath, dict[str, Schema]] = {folder: {} for folder in FOLDERS}
    findings = []
    for source in sources:
        if not source.is_schema:
            continue
        folder = next((folder for folder in found if source.path.is_relative_to(folder)), None)
        if folder is None:
            sentence = (
                f"nothing reads a schema here; move it to {', '.join(map(str, FOLDERS))}, as <type or action>.json"
            )
            findings.append(Finding(source.shown, 0, "stray-file", sentence))
            continue
        try:
            found[folder][str(source.path.relative_to(folder))[: -len(".json")]] = closed(orjson.loads(source.content))
            findings += lost(source)
        except ValueError as error:
            wanted = f'write a JSON Schema of the {_of(folder)}, an object with "type": "object" and "properties"'
            findings.append(unreadable(source, error, "bad-schema", wanted))
    return Schemas(*found.values()), findings


def _of(folder: PurePosixPath) -> str:
    return "context" if folder == CONTEXTS else "properties"


def closed(schema: Any) -> Schema:
    """`schema`, closed to names that it does not list, unless it says otherwise.

    Raises `ValueError` if it is not the schema of an object.
    """
    match schema:
        case {"type": "object", "properties": dict()}:
            return {"additionalProperties": False, **schema}
        case _:
            raise ValueError


def resolved(schema: Any, root: Schema, left: int = _DEEPEST) -> Schema:
    """`schema` without references, with `oneOf` as `anyOf`, and with all of `allOf` as one.

    References into other files, by `$anchor`, and inside another schema lead nowhere. Choices beside `properties` only
    restrict these further; they are left out.
    """
    if not isinstance(schema, dict) or not left:
        return UNKNOWN
    if isinstance(reference := schema.get("$ref"), str):
        return resolved(_at(root, reference), root, left - 1)
    if isinstance(every := schema.get("allOf"), list):
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return _both([resolved(part, root, left - 1) for part in (rest, *every)])
    if (one := schema.get("oneOf") or schema.get("anyOf")) and "properties" not in schema:
        return {"anyOf": [resolved(choice, root, left - 1) for choice in one]}
    inner = {name: resolved(value, root, left) for name, value in schema.get("properties", {}).items()}
    items = {"items": resolved(schema["items"], root, left)} if "items" in schema else {}
    kept = {key: value for key, value in schema.items() if key not in {"$defs", "definitions"}}
    return {**kept, **({"properties": inner} if inner else {}), **items}


def _both(parts: Sequence[Schema]) -> Schema:
    """What is known of a value that has all these schemas: of each keyword, and of each name, what the first says."""
    found: Schema = {}
    names: dict[str, list[Schema]] = {}
    for part in parts:
        found |= {key: value for key, value in part.items() if key not in found}
        for name, inner in part.get("properties", {}).items():
            names.setdefault(name, []).append(inner)
    is_closed = any(part.get("additionalProperties") is False for part in parts)
    listed = {"properties": {name: _both(inner) for name, inner in names.items()}} if names else {}
    return {**found, **listed, **({"additionalProperties": False} if is_closed else {})}


def _at(root: Any, reference: str) -> Any:
    is_path = reference == "#" or reference.startswith("#/")
    for step in reference.split("/")[1:] if is_path else ["?"]:
        root = root.get(step) if isinstance(root, dict) else None
    return root


def promises(schema: Schema, path: Sequence[str]) -> bool:
    """Whether every input of `schema` has `path`."""
    if not path:
        return True
    certain = path[0] in schema.get("required", ()) and "anyOf" not in schema
    return certain and promises(schema.get("properties", {}).get(path[0], UNKNOWN), path[1:])
