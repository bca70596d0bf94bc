"""The table of errors: each `PdpError` becomes one status and one body (RFC 9457). It is asked at the edge alone.

AuthZEN wants "an error message string" as the body: `detail` is that sentence, and `Accept: text/plain` gives it alone.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pdp.bad_fields import MAX_NAMED, cut
from pdp.errors import DOMAIN, PdpError
from pdp.http.route import Answer

STATUSES: Mapping[str, HTTPStatus] = MappingProxyType(
    {
        "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
        "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
        "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
        "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
        "NOT_FOUND": HTTPStatus.NOT_FOUND,
        "ALREADY_EXISTS": HTTPStatus.CONFLICT,
        "ABORTED": HTTPStatus.CONFLICT,
        "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
        "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
        "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""The status of each code. FAILED_PRECONDITION is 500 like all others: a broken policy is not the caller's fault."""
_AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_OPTIONS = frozenset({"request_id", "attempt_id", "expected_digest", "supersedes", "justification"})
_RENAMED = {"approval_id": "context.approval.id", "request": "body"}


class Refusal(PdpError):
    """What HTTP itself refuses: it has a status of its own, and the reason of a bad request."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_REQUEST"

    def __init__(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


class Problem(PdpError):
    """A problem with a type of its own, as a profile names them."""

    def __init__(self, status: HTTPStatus, kind: str, sentence: str, **members: Any) -> None:
        """`kind` is a word of ours, or the whole type where it has a colon, as in a URN."""
        super().__init__(sentence)
        self.status, self.kind, self.members = status, kind, members
        self.reason = kind.rpartition(":")[2].upper()


def status(error: PdpError) -> HTTPStatus:
    """The status of an error."""
    if isinstance(error, Refusal | Problem):
        return error.status
    return STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: PdpError, request_id: str, accept: str = "") -> Answer:
    """The answer to a call that failed."""
    code = status(error)
    headers = headers_of(error, code)
    if _wants_text(accept) and not isinstance(error, Problem):
        return Answer(cut(error.sentence).encode(), code, "text/plain; charset=utf-8", headers)
    content: dict[str, Any] = {
        "type": _type(error),
        "title": code.phrase,
        "status": code.value,
        "detail": cut(sentence(error)),
        "reason": error.reason,
        "request_id": request_id,
    }
    if error.violations:
        content["violations"] = violations(error)
    if error.metadata:
        content["metadata"] = error.metadata
    if isinstance(error, Problem):
        content |= error.members
    return Answer(content, code, "application/problem+json", headers)


def sentence(error: PdpError) -> str:
    """The sentence of an error, with the paths as a body has them."""
    if error.sentence != "; ".join(f"{path}: {description}" for path, description in error.violations):
        return error.sentence
    return "; ".join(f"{one['field']}: {one['description']}" for one in violations(error))


def violations(error: PdpError) -> list[dict[str, str]]:
    """The fields at fault, with the paths as a body has them."""
    return [{"field": cut(_path(path)), "description": cut(text)} for path, text in error.violations[:MAX_NAMED]]


def fields(error: PdpError) -> list[dict[str, str]]:
    """The fields at fault, with the names that a form has."""
    return [{"field": cut(path), "description": cut(text)} for path, text in error.violations[:MAX_NAMED]]


def above_fields(error: PdpError) -> str:
    """What a page says above the list of the fields at fault: the sentence, unless it only repeats that list."""
    repeats = "; ".join(f"{path}: {description}" for path, description in error.violations)
    return "some of what was sent cannot be taken as it is" if repeats and repeats == error.sentence else error.sentence


def _path(path: str) -> str:
    """A path of the contract as a path of the body."""
    if path in _RENAMED:
        return _RENAMED[path]
    return f"options.{path}" if path in _OPTIONS or path.startswith("on_behalf_of") else path


def _type(error: PdpError) -> str:
    if isinstance(error, Problem):
        return error.kind if ":" in error.kind else f"https://{DOMAIN}/problems/{error.kind}"
    return f"https://{DOMAIN}/errors/{error.reason.lower()}"


def headers_of(error: PdpError, code: HTTPStatus) -> dict[str, str]:
    """What else the answer to an error says."""
    headers = dict(error.headers) if isinstance(error, Refusal) else {}
    if code is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if code in _AGAIN:
        headers["Retry-After"] = str(max(math.ceil(error.retry_seconds or 1), 1))
    return headers


def _wants_text(accept: str) -> bool:
    """Whether the first media type that is accepted is plain text."""
    return accept.partition(",")[0].partition(";")[0].strip().lower() == "text/plain"
