"""`/openapi.json`: the face as OpenAPI 3.1, made of the same tables as the routes, their limits and their errors."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from pdp import __version__
from pdp.http import access_request, lineage
from pdp.http.metadata import CONFIGURATION, JWKS, KEY_SET, kept
from pdp.http.problem import STATUSES
from pdp.http.route import JSON, Answer, OpenRoute, Route
from pdp.http.schemas import SCHEMAS, TEXT, ref
from pdp.http.search import SEARCHES

PATH = "/openapi.json"
VERSION = "3.1.0"
PROBLEM = "application/problem+json"
REFUSALS = (
    *sorted({*STATUSES.values(), HTTPStatus.INTERNAL_SERVER_ERROR}),
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.EXPECTATION_FAILED,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)
"""The statuses of problems: those of the table of errors, and those of HTTP itself."""


class Operation(NamedTuple):
    """What the table of routes does not say: a sentence, the schemas of body and answer, good statuses, a type.

    `name` is what a generated client calls it.
    """

    summary: str
    body: str = ""
    answer: str = ""
    statuses: Sequence[HTTPStatus] = (HTTPStatus.OK,)
    media: str = JSON
    name: str = ""


_TASK = f"{access_request.PATH}/{{id}}"
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/access/v1/evaluation"): Operation(
        "Decide one question.", "EvaluationRequest", "Evaluation", name="evaluate"
    ),
    ("POST", "/access/v1/evaluations"): Operation(
        "Decide many questions.", "EvaluationsRequest", "Evaluations", name="evaluateMany"
    ),
    **{
        ("POST", path): Operation(
            f"Find each candidate {kind} that is allowed.",
            f"Search{kind.title()}Request",
            f"Search{kind.title()}",
            name=f"search{kind.title()}s",
        )
        for path, kind in SEARCHES.items()
    },
    ("POST", access_request.PATH): Operation(
        "Ask people for an approval.",
        "SubmissionRequest",
        "Task",
        (HTTPStatus.CREATED, HTTPStatus.ACCEPTED),
        name="requestAccess",
    ),
    ("GET", _TASK): Operation("Follow an access request.", answer="Task", name="getAccessRequest"),
    ("POST", f"{_TASK}/cancel"): Operation(
        "Withdraw an access request.", "Cancellation", "Task", name="cancelAccessRequest"
    ),
    ("POST", lineage.PATH): Operation(
        "Take an event of OpenLineage.", "LineageEvent", "LineageTaken", (HTTPStatus.CREATED,), name="takeLineageEvent"
    ),
    ("POST", lineage.BATCH): Operation(
        "Take many events of OpenLineage.", "LineageEvents", "LineageSummary", name="takeLineageEvents"
    ),
    ("GET", CONFIGURATION): Operation("Where everything is.", answer="Configuration", name="getConfiguration"),
    ("GET", JWKS): Operation(
        "The keys that verify grants (RFC 7517).", answer="Keys", media=KEY_SET, name="getGrantKeys"
    ),
    ("GET", PATH): Operation("This document.", answer="Description", name="getDescription"),
}
"""The operations by method and path. A route that is not here is described by what its table says alone."""


class OpenApi:
    """The description of a face; `url` is what clients call it."""

    def __init__(self, url: str, routes: Sequence[Route | OpenRoute]) -> None:
        """`routes` are all others."""
        self._content = orjson.dumps(document(url, [*routes, *self.routes()]))

    def routes(self) -> list[OpenRoute]:
        """What is offered."""
        return [OpenRoute(PATH, self.description)]

    async def description(self, headers: Mapping[str, str]) -> Answer:
        """The OpenAPI document."""
        return kept(self._content, headers)


def document(url: str, routes: Sequence[Route | OpenRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Placet",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "security": [{"token": []}, {"certificate": []}],
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "responses": {"Problem": _problem()},
            "parameters": _parameters(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(route: Route | OpenRoute) -> dict[str, Any]:
    known = OPERATIONS.get((route.method, route.path), Operation(f"{route.method} {route.path}"))
    schema = ref(known.answer) if known.answer else {}
    good = {str(int(code)): _response(code, known.media, schema) for code in known.statuses}
    problems = {str(int(code)): {"$ref": "#/components/responses/Problem"} for code in REFUSALS}
    operation: dict[str, Any] = {
        "operationId": known.name or _name(route),
        "summary": known.summary,
        "parameters": _parameters_of(route),
        "responses": {**good, **problems},
    }
    if isinstance(route, OpenRoute):
        unchanged = {str(int(HTTPStatus.NOT_MODIFIED)): {"description": HTTPStatus.NOT_MODIFIED.phrase}}
        return {**operation, "security": [], "responses": {**good, **unchanged, **problems}}
    operation["description"] = _limits(route)
    if route.method == "POST":
        body = {"schema": ref(known.body) if known.body else {"type": "object"}}
        operation["requestBody"] = {"required": route.needs_body, "content": {JSON: body}}
    return operation


def _limits(route: Route) -> str:
    """What the table says of a route, for people."""
    told = [f"Callers need a role that may call `{route.rpc}`."]
    if route.searches:
        told.append("Their entry in the configuration says `may_search`.")
    if route.method == "POST":
        told.append(f"The body has at most {route.most_bytes:,} bytes.")
    if route.takes_gzip:
        told.append("It may be compressed by gzip.")
    if route.seconds is not None:
        told.append(f"A call may wait for {route.seconds:g} s.")
    return " ".join(told)


def _name(route: Route | OpenRoute) -> str:
    """What a route is called that nobody has named: its method and path."""
    words = "".join(sign if sign.isalnum() else " " for sign in route.path).split()
    return route.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _parameters_of(route: Route | OpenRoute) -> list[dict[str, Any]]:
    names = ["RequestId"]
    if isinstance(route, Route):
        names += ["RequestTimeout", *(["Prefer"] if route.seconds is not None else [])]
    names += ["IdempotencyKey"] if route.path == access_request.PATH else []
    in_path = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    shown = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    return [*shown, *({"name": name, "in": "path", "required": True, "schema": TEXT} for name in in_path)]


def _parameters() -> dict[str, Any]:
    headers = {
        "RequestId": (
            "X-Request-ID",
            "A name of this call for logs, which comes back: 1 to 128 visible ASCII characters.",
        ),
        "RequestTimeout": ("X-Request-Timeout", "Seconds that the call may take, such as 1.5."),
        "IdempotencyKey": ("Idempotency-Key", "The `request_id` of this submission, so that it may be sent again."),
        "Prefer": ("Prefer", "`wait=N`: the seconds that the call may wait for people (RFC 7240)."),
    }
    return {
        name: {"name": header, "in": "header", "schema": TEXT, "description": told}
        for name, (header, told) in headers.items()
    }


def _response(code: HTTPStatus, media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": code.phrase, "content": {media: {"schema": schema}}}


def _problem() -> dict[str, Any]:
    return {
        "description": "The call failed. It has no decision.",
        "content": {PROBLEM: {"schema": ref("Problem")}, "text/plain": {"schema": TEXT}},
    }
