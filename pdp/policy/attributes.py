"""Checks properties and context of a request against the policy's schemas. Only this file imports jsonschema_rs."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import jsonschema_rs

from pdp.errors import SetupError
from pdp.policy.schema import CONTEXTS, RESOURCES, Schema, Schemas

Fault = tuple[str, str]
"""The path of a field, and what is wrong with it."""


class Attributes:
    """The schemas of a policy, compiled once. A policy without schemas accepts any properties, and any context."""

    def __init__(self, schemas: Schemas) -> None:
        self._resources = {kind: _compiled(RESOURCES, kind, schema) for kind, schema in schemas.resources.items()}
        self._contexts = {action: _compiled(CONTEXTS, action, schema) for action, schema in schemas.contexts.items()}

    def faults(
        self, kind: str, properties: Mapping[str, Any], action: str = "", context: Mapping[str, Any] | None = None
    ) -> list[Fault]:
        """What the schemas do not accept of a resource of type `kind`, and of the context of `action`."""
        faults = _faults(self._resources, kind, properties, "resource.properties", "resource type; send no properties")
        return faults + _faults(self._contexts, action, context or {}, "context", "action's context; send none")


def _faults(
    validators: Mapping[str, jsonschema_rs.Validator], name: str, value: Mapping[str, Any], field: str, what: str
) -> list[Fault]:
    if not validators:
        return []
    if name in validators:
        return [(_path(field, error), error.message) for error in validators[name].iter_errors(value)]
    return [(field, f"the policy has no schema for this {what}")] if value else []


def _compiled(folder: PurePosixPath, name: str, schema: Schema) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(schema, offline=True, mask="this value")
    except ValueError as error:
        raise SetupError(f"{folder}/{name}.json is not a JSON Schema: {error}") from error


def _path(field: str, error: jsonschema_rs.ValidationError) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path]
    return field + "".join(steps)
