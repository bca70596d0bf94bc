"""Checks the properties of a request against the schema of their type. Only this file imports jsonschema_rs."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from pdp.errors import SetupError
from pdp.policy.schema import Schema


class Attributes:
    """The schemas of a policy, compiled once. A policy without schemas accepts any properties of any type."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._validators = {kind: _compiled(kind, schema) for kind, schema in schemas.items()}

    def faults(self, kind: str, properties: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A pair (field path, what is wrong) for each property that the schema of type `kind` does not accept."""
        if not self._validators:
            return []
        if kind in self._validators:
            return [(_path(error), error.message) for error in self._validators[kind].iter_errors(properties)]
        if properties:
            return [("resource.properties", "the policy has no schema for this resource type; send no properties")]
        return []


def _compiled(kind: str, schema: Schema) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(schema, offline=True, mask="this value")
    except ValueError as error:
        raise SetupError(f"schema/resource/{kind}.json is not a JSON Schema: {error}") from error


def _path(error: jsonschema_rs.ValidationError) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path]
    return "resource.properties" + "".join(steps)
