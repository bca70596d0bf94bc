"""What a policy may rely on of the attributes of one kind of thing, from the schemas of the types that have one. Pure.

1. A schema closes its own type or action; `additionalProperties: true` in it leaves that open.
2. What has no schema, or an open one, may carry any name. A name that another schema lists has there, too, a type that
   a schema gives it: so a rule that names no type may rely on it. (`schema/context/ACTION.json` is the exception: it
   says nothing of other actions.)
3. `schema/context/any.json` says what every action's context has.
4. A member that the schemas of all named types require is there: the server refuses requests without it.
"""

from collections.abc import Collection, Mapping

from pdp.policy.schema import ANY_ACTION, GIVEN, UNKNOWN, Schema, Schemas, resolved
from pdp.policy.shape import any_of

OPEN: Schema = {"type": "object"}


def read_of(listed: Mapping[str, Schema], named: Collection[str] | None) -> Schema:
    """The shape of the properties of a resource, a subject or an action of the types `named`; `None` is any type."""
    if not listed:
        return OPEN
    found = _merged([_own(listed, name) for name in named or listed])
    return found if named else {**found, "required": []}


def context_of(schemas: Schemas, named: Collection[str] | None) -> Schema:
    """The shape of the context of the actions `named`; `None` is any action."""
    if named:
        return _merged([context(schemas, name) for name in named])
    if not schemas.contexts:
        return OPEN
    each = [context(schemas, name) for name in schemas.contexts]
    common = context(schemas, ANY_ACTION)["properties"] if ANY_ACTION in schemas.contexts else {}
    names = {name: UNKNOWN for schema in [*each, *GIVEN.values()] for name in schema.get("properties", schema)}
    required = context(schemas, ANY_ACTION).get("required", []) if ANY_ACTION in schemas.contexts else []
    return {**_merged(each), "properties": {**names, **common}, "required": required}


def context(schemas: Schemas, action: str) -> Schema:
    """What is known of the context of one action: by its own schema, by that of any action, by what the server sets."""
    listed = (schemas.contexts.get(ANY_ACTION), schemas.contexts.get(action))
    found = [resolved(schema, schema) for schema in listed if schema is not None] or [OPEN]
    given = GIVEN.get(action, {})
    common = found[0].get("properties", {})
    required = sorted({name for schema in found for name in schema.get("required", ())})
    return {**found[-1], "properties": {**common, **found[-1].get("properties", {}), **given}, "required": required}


def elsewhere(listed: Mapping[str, Schema], name: str) -> dict[str, list[str]]:
    """The names that a thing of type `name` may have though its own schema does not list them, and who lists them."""
    own = listed.get(name)
    if own is not None and own.get("additionalProperties") is False:
        return {}
    found: dict[str, list[str]] = {}
    for other, schema in listed.items():
        for key in schema["properties"] if other != name else ():
            if own is None or key not in own["properties"]:
                found.setdefault(key, []).append(other)
    return found


def _own(listed: Mapping[str, Schema], name: str) -> Schema:
    """What is known of the properties of one type, with what other schemas say of names that it does not list."""
    schemas = {other: resolved(schema, schema) for other, schema in listed.items()}
    own = schemas.get(name, OPEN)
    others = {
        key: any_of(schemas[other]["properties"][key] for other in types)
        for key, types in elsewhere(listed, name).items()
    }
    return {**own, "properties": {**others, **own.get("properties", {})}}


def _merged(schemas: Collection[Schema]) -> Schema:
    """What is known of an object that has one of these schemas."""
    names = {name for schema in schemas for name in schema.get("properties", {})}
    listed = {name: any_of(found for schema in schemas if (found := _at(schema, name)) is not None) for name in names}
    further = [schema.get("additionalProperties", True) for schema in schemas]
    more = next((each for each in further if each is not False), False)
    required = set.intersection(*({*schema.get("required", ())} for schema in schemas))
    return {
        "type": "object",
        "properties": listed,
        "required": sorted(required),
        "additionalProperties": more if len(further) == 1 else bool(more),
    }


def _at(schema: Schema, name: str) -> Schema | None:
    """What a schema says of a name; `None` where it has no such name."""
    if name in schema.get("properties", {}):
        found: Schema = schema["properties"][name]
        return found
    more = schema.get("additionalProperties", True)
    return None if more is False else UNKNOWN
