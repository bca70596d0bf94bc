"""Every answer of the HTTP face is as `/openapi.json` says, and so is every body that it took."""

from functools import cache
from http import HTTPStatus
from typing import Any

import jsonschema_rs
import orjson

from pdp.errors import PdpError
from pdp.http.app import Routes
from pdp.http.openapi import OPERATIONS, PROBLEM, document
from pdp.http.schemas import SCHEMAS
from tests.parts import Placet

CHECKED_BODIES = {"EvaluationRequest", "SearchSubjectRequest", "SearchResourceRequest", "SearchActionRequest"}
"""Bodies that are good or bad as a whole."""


def require_described(server: Placet, method: str, path: str, sent: Any, status: int, media: str, body: bytes) -> None:
    """Fail unless the answer is one that the document of this server describes. One in another process is not asked."""
    if not server.routes:
        return
    try:
        route, _ = Routes(server.api).find(method, path.partition("?")[0])
    except PdpError:
        described, name = {PROBLEM}, "Problem"
    else:
        responses = document(server.http, server.api)["paths"][route.path][route.method.lower()]["responses"]
        response = responses[str(status)]
        is_problem = "$ref" in response
        described = {PROBLEM, "text/plain"} if is_problem else set(response.get("content", {}))
        name = "Problem" if is_problem else OPERATIONS[route.method, route.path].answer
        wanted = OPERATIONS[route.method, route.path].body
        if status == HTTPStatus.OK and wanted in CHECKED_BODIES:
            require(wanted, orjson.loads(sent) if isinstance(sent, bytes) else sent)
    plain = media.partition(";")[0]
    if body:
        assert plain in described
        if plain != "text/plain":
            require(name, orjson.loads(body))


def require(name: str, value: Any) -> None:
    """Fail unless a value fits the schema of this name. A member that the schema does not list is a failure, too."""
    errors = [f"{error.instance_path}: {error.message}" for error in _validator(name).iter_errors(value)]
    assert not errors, errors


@cache
def _validator(name: str) -> jsonschema_rs.Validator:
    answers = not name.endswith("Request")
    schemas = {one: _closed(schema) if answers else schema for one, schema in SCHEMAS.items()}
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


def _closed(schema: Any) -> Any:
    """The same, closed to names that it does not list, unless it says otherwise."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **closed} if "properties" in schema and "type" in schema else closed
