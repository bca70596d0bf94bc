"""Checks what callers send against the policy's schemas. Only this file imports jsonschema_rs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import jsonschema_rs

from pdp.errors import SetupError
from pdp.policy.family import elsewhere
from pdp.policy.schema import ACTIONS, ANY_ACTION, CONTEXTS, GIVEN, RESOURCES, SUBJECTS, Schema, Schemas

Fault = tuple[str, str]
"""The path of a field, and what is wrong with it."""


class Attributes:
    """The schemas of a policy, compiled once. A policy without schemas accepts any attributes."""

    def __init__(self, schemas: Schemas) -> None:
        self._resources = _Family(RESOURCES, schemas.resources)
        self._subjects = _Family(SUBJECTS, schemas.subjects)
        self._actions = _Family(ACTIONS, schemas.actions)
        self._contexts = _Contexts(schemas.contexts)

    def of(self, kind: str, name: str, properties: Mapping[str, Any]) -> Iterable[Fault]:
        """What the schemas do not accept of the properties of a subject, a resource or an action."""
        families = {"subject": self._subjects, "resource": self._resources, "action": self._actions}
        return families[kind].faults(name, properties, "properties")

    def faults(self, request: Mapping[str, Any]) -> list[Fault]:
        """What the schemas do not accept of a canonical request, the members of the digest."""
        action, resource = request["action"], request["resource"]
        found = [
            *self._resources.faults(resource["type"], resource["properties"], "resource.properties"),
            *self._contexts.faults(action["name"], request["context"]),
            *self._actions.faults(action["name"], action["properties"], "action.properties"),
        ]
        for field, subject in _subjects(request["subject"], request["on_behalf_of"]):
            found += self._subjects.faults(subject["type"], subject["properties"], f"{field}.properties")
        return found


def _subjects(subject: Any, chain: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    yield "subject", subject
    for index, each in enumerate(chain):
        yield f"on_behalf_of[{index}]", each


class _Family:
    """The schemas of the properties of one kind of thing, by its types."""

    def __init__(self, folder: PurePosixPath, listed: Mapping[str, Schema]) -> None:
        self._folder = folder
        self._elsewhere = {name: elsewhere(listed, name) for name in listed}
        self._unlisted = elsewhere(listed, "")
        self._own = {name: _compiled(folder, name, schema) for name, schema in listed.items()}
        self._single = {name: _compiled(folder, name, _single(schema)) for name, schema in listed.items()}

    def faults(self, name: str, value: Mapping[str, Any], field: str) -> Iterable[Fault]:
        """The faults of the properties of a thing of type `name`."""
        return self._faults(name, value, field) if name in self._own or (value and self._own) else ()

    def _faults(self, name: str, value: Mapping[str, Any], field: str) -> Iterator[Fault]:
        if name in self._own:
            yield from _errors(self._own[name], value, field)
        for key, others in self._elsewhere.get(name, self._unlisted).items():
            if key in value and not any(self._single[other].is_valid({key: value[key]}) for other in others):
                known = ", ".join(f"{self._folder}/{other}.json" for other in others)
                sentence = f"is not as {known} says; the policy needs {self._folder}/{name}.json if it means another"
                yield f"{field}.{key}", sentence


class _Contexts:
    """The schemas of contexts: of one action, of any action, and of what the server sets."""

    def __init__(self, listed: Mapping[str, Schema]) -> None:
        common = listed.get(ANY_ACTION)
        schemas = {name: _beside(schema, common) for name, schema in listed.items() if name != ANY_ACTION}
        if common is not None:
            schemas |= {name: _beside({**common, "required": []}, None) for name in GIVEN if name not in schemas}
        schemas = {name: _with_given(name, schema) for name, schema in schemas.items()}
        self._own = {name: _compiled(CONTEXTS, name, schema) for name, schema in schemas.items()}
        self._common = None if common is None else _compiled(CONTEXTS, ANY_ACTION, common)
        self._beside = None if common is None else _compiled(CONTEXTS, ANY_ACTION, _open(common))
        self._given = {name: _compiled(CONTEXTS, name, _open({"properties": given})) for name, given in GIVEN.items()}

    def faults(self, action: str, value: Mapping[str, Any]) -> Iterator[Fault]:
        """The faults of the context of `action`."""
        own = self._own.get(action) or self._given.get(action)
        checks = (own, self._beside) if own else (self._common,)
        found = [fault for check in checks if check is not None for fault in _errors(check, value, "context")]
        yield from dict.fromkeys(found)


def _single(schema: Schema) -> Schema:
    """A schema for one of the properties alone."""
    kept: Schema = {key: schema[key] for key in ("$schema", "$defs", "definitions", "properties") if key in schema}
    return {"type": "object", **kept}


def _open(schema: Schema) -> Schema:
    return {"type": "object", **schema, "additionalProperties": True}


def _beside(own: Schema, common: Schema | None) -> Schema:
    """An action's own schema, which does not refuse the names that any action's context may have."""
    return {**own, "properties": {**dict.fromkeys((common or {}).get("properties", ()), True), **own["properties"]}}


def _with_given(action: str, schema: Schema) -> Schema:
    """`schema` with the members that the server sets after this check."""
    given = GIVEN.get(action, {})
    required = [name for name in schema.get("required", ()) if name not in given]
    return {**schema, "properties": {**schema["properties"], **given}, "required": required}


def _compiled(folder: PurePosixPath, name: str, schema: Schema) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(schema, offline=True, mask="this value")
    except ValueError as error:
        raise SetupError(f"{folder}/{name}.json is not a JSON Schema: {error}") from error


def _errors(validator: jsonschema_rs.Validator, value: Mapping[str, Any], field: str) -> Iterator[Fault]:
    for error in validator.iter_errors(value):
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path]
        yield field + "".join(steps), error.message
