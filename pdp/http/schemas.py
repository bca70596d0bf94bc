"""The JSON that goes over HTTP, as JSON Schema (2020-12), for `/openapi.json`, with the limits that the code has."""

from collections.abc import Mapping
from typing import Any

from pdp.authzen import MAX_ITEMS
from pdp.authzen_question import CUSTOM, REGISTERED
from pdp.authzen_reading import SEMANTICS
from pdp.authzen_search import MAX_CANDIDATES
from pdp.canonical import MAX_CHAIN, MAX_ID_BYTES, MAX_TEXT_CHARACTERS
from pdp.http.decision import REASONS
from pdp.workflow.lineage import MAX_EVENTS
from pdp.workflow.repeat import MAX_ATTEMPT_BYTES

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}
FREE: Schema = {"type": "object", "additionalProperties": True}
COUNT: Schema = {"type": "integer", "minimum": 0}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES}
INSTANT: Schema = {"type": "string", "format": "date-time"}


def ref(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: Schema, **limits: int) -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": item, **limits}


def members(required: str = "", /, **properties: Schema) -> Schema:
    """The schema of an object; `required` are names with blanks between."""
    return {"type": "object", "properties": properties, **({"required": required.split()} if required else {})}


_ATTEMPT: Schema = {"type": "string", "maxLength": MAX_ATTEMPT_BYTES}
_OPTIONS: Mapping[str, Schema] = {
    "on_behalf_of": listed(ref("Subject"), maxItems=MAX_CHAIN),
    "request_id": {"type": "string", "maxLength": MAX_ID_BYTES},
    "attempt_id": _ATTEMPT,
    "expected_digest": TEXT,
    "supersedes": TEXT,
    "justification": {"type": "string", "maxLength": MAX_TEXT_CHARACTERS},
    "lineage_at_least": COUNT,
    **dict.fromkeys(("open_approval", "dry_run", "explain", "want_grant"), FLAG),
    "evaluations_semantic": {"type": "string", "enum": list(SEMANTICS)},
}
_QUESTION: Mapping[str, Schema] = {
    "subject": ref("Subject"),
    "action": ref("Action"),
    "resource": ref("Resource"),
    "context": ref("Context"),
    "options": ref("Options"),
}
_ONE = members("", **{**_QUESTION, "options": ref("OptionsOfOne")})
_CANDIDATE: Schema = {"anyOf": [NAME, members(type=NAME, id=NAME, name=NAME, properties=FREE)]}
_PAGE = members(token=TEXT, next_token=TEXT, limit={"type": "integer", "minimum": 1}, properties=FREE)
_SOUGHT = {"options": ref("SearchOptions"), "page": _PAGE}
_REASON = members("rule reason", rule=TEXT, reason=TEXT)
_OBLIGATION = members(
    "id type properties", id=TEXT, type={"type": "string", "enum": [*REGISTERED, CUSTOM]}, properties=FREE
)
_FIRED = members(**dict.fromkeys(("deny", "needs_approval", "allow", "obligation"), listed(ref("Reason"))))
_DISPLAY = members(title=TEXT, description=TEXT)


def _search(kind: str) -> Schema:
    needed = "subject resource" if kind == "action" else "subject action resource"
    return members(needed, **{**_QUESTION, **_SOUGHT, kind: ref(f"Sought{kind.title()}")})


_COUNTS = ("received", "successful", "failed", "retriable", "non_retriable")

SCHEMAS: Mapping[str, Schema] = {
    "LineageEvent": FREE,
    "LineageEvents": listed(ref("LineageEvent"), maxItems=MAX_EVENTS),
    "LineageTaken": members("revision", revision=COUNT),
    "LineageSummary": members(
        "status summary failed_events",
        status={"type": "string", "enum": ["success", "partial_success", "failure"]},
        summary=members(" ".join(_COUNTS), **dict.fromkeys(_COUNTS, COUNT)),
        failed_events=listed(members("index reason retriable", index=COUNT, reason=TEXT, retriable=FLAG)),
        revision=COUNT,
    ),
    "Subject": members("type id", type={**NAME, "pattern": "^[^:]*$"}, id=NAME, properties=FREE),
    "Action": members("name", name=NAME, properties=FREE),
    "Resource": members("type id", type=NAME, id=NAME, properties=FREE),
    "Context": {**FREE, "properties": {"supported_obligations": TEXTS, "approval": {"type": ["object", "null"]}}},
    "Options": {**members(**_OPTIONS), "additionalProperties": False},
    "OptionsOfOne": {
        **members(**{name: schema for name, schema in _OPTIONS.items() if name != "evaluations_semantic"}),
        "additionalProperties": False,
    },
    "EvaluationRequest": members("subject action resource", **_QUESTION),
    "EvaluationsRequest": members("", **_QUESTION, evaluations=listed(_ONE, maxItems=MAX_ITEMS)),
    "Evaluation": members("decision", decision=FLAG, context=ref("DecisionContext")),
    "Evaluations": {
        "anyOf": [members("evaluations", evaluations=listed(ref("Evaluation"))), ref("Evaluation")],
    },
    "DecisionContext": members(
        decision_id=TEXT,
        evaluation_id=TEXT,
        policy_revision=TEXT,
        request_digest=TEXT,
        reason={"type": "string", "examples": ["obligation_unsupported", *REASONS.values()]},
        reasons=listed(ref("Reason")),
        obligations=listed(ref("Obligation")),
        grant=TEXT,
        approval=members("id state", id=TEXT, state=TEXT, approved_until=INSTANT),
        on_behalf_of=listed(ref("Subject")),
        fired=_FIRED,
        dry_run=FLAG,
        withheld=FLAG,
        ignored=TEXTS,
        next_action={"type": "string", "enum": ["request", "none"]},
        access_request=ref("AccessRequest"),
        error=ref("EvaluationError"),
    ),
    "EvaluationError": members(
        "status message", status=COUNT, message=TEXT, reason=TEXT, violations=listed(ref("Violation"))
    ),
    "Reason": _REASON,
    "Obligation": _OBLIGATION,
    "AccessRequest": members(
        "expires_at binding_token",
        endpoint=TEXT,
        expires_at=INSTANT,
        template=TEXT,
        display=_DISPLAY,
        binding_token=TEXT,
    ),
    "SoughtSubject": members("type", type={**NAME, "pattern": "^[^:]*$"}, properties=FREE),
    "SoughtResource": members("type", type=NAME, properties=FREE),
    "SoughtAction": members(properties=FREE),
    "SearchOptions": {
        **members(
            on_behalf_of=_OPTIONS["on_behalf_of"],
            dry_run=FLAG,
            candidates=listed(_CANDIDATE, maxItems=MAX_CANDIDATES),
            evaluations_semantic=_OPTIONS["evaluations_semantic"],
            lineage_at_least=COUNT,
        ),
        "additionalProperties": False,
    },
    "SearchSubjectRequest": _search("subject"),
    "SearchResourceRequest": _search("resource"),
    "SearchActionRequest": _search("action"),
    "SearchSubject": members("results page", results=listed(ref("Subject")), page=ref("Page"), context=ref("Searched")),
    "SearchResource": members(
        "results page", results=listed(ref("Resource")), page=ref("Page"), context=ref("Searched")
    ),
    "SearchAction": members("results page", results=listed(ref("Action")), page=ref("Page"), context=ref("Searched")),
    "Page": members("next_token", next_token=TEXT, count=COUNT),
    "Searched": members(
        "search_id policy_revision source searched known complete unanswered withheld",
        search_id=TEXT,
        policy_revision=TEXT,
        source={"type": "string", "enum": ["policy", "request"]},
        complete=FLAG,
        ignored=TEXTS,
        **dict.fromkeys(("searched", "known", "unanswered", "withheld"), COUNT),
    ),
    "SubmissionRequest": members("subject action resource", **_QUESTION, denial=FREE, requested_access=FREE),
    "Cancellation": members(reason=TEXT, comment=TEXT),
    "Task": members(
        "task",
        task=members(
            "id status status_endpoint",
            id=TEXT,
            status={"type": "string", "enum": ["pending", "approved", "denied", "expired", "cancelled"]},
            status_endpoint=TEXT,
            expires_at=INSTANT,
            progress=members("current_step total_steps", current_step=COUNT, total_steps=COUNT),
            links=members("cancel", cancel=TEXT),
        ),
        result=members(
            "mode approval",
            mode=TEXT,
            approval=members("id", id=TEXT, approved_at=INSTANT, approved_until=INSTANT),
        ),
    ),
    "Violation": members("field description", field=TEXT, description=TEXT),
    "Problem": {
        **members(
            "type title status detail reason request_id",
            type={"type": "string", "format": "uri"},
            title=TEXT,
            status={"type": "integer"},
            detail=TEXT,
            reason=TEXT,
            request_id=TEXT,
            violations=listed(ref("Violation")),
            metadata={"type": "object", "additionalProperties": TEXT},
        ),
        "additionalProperties": True,
        "description": "RFC 9457. A problem with a type of its own may have further members.",
    },
    "Configuration": {
        "type": "object",
        "required": ["policy_decision_point", "access_evaluation_endpoint"],
        "properties": {"policy_decision_point": TEXT, "supported_obligations": TEXTS, "jwks_uri": TEXT},
        "additionalProperties": True,
        "description": "AuthZEN's metadata of a policy decision point.",
    },
    "Keys": members("keys", keys=listed(FREE)),
    "Description": {"type": "object", "description": "This document."},
}
"""Each schema by its name."""
