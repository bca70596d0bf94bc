"""The table of errors, as the issue's readers see it."""

from http import HTTPStatus

import grpc
import pytest

from pdp.errors import (
    Conflict,
    DigestRequired,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Overloaded,
    PdpError,
    PolicyInvalid,
    RequestIdReused,
    ResumeTokenTooOld,
    StoreUnavailable,
    Unauthenticated,
)
from pdp.http.problem import STATUSES, Problem, Refusal, problem, status
from pdp.shedding import CallerOverLimit

TABLE: list[tuple[PdpError, int]] = [
    (InvalidRequest.field("subject.id", "is required"), 400),
    (DigestRequired("x"), 400),
    (ResumeTokenTooOld("x"), 400),
    (Unauthenticated("x"), 401),
    (NotAllowed("ROLE_REQUIRED", "x"), 403),
    (NotFound("APPROVAL_NOT_FOUND", "x"), 404),
    (RequestIdReused("x"), 409),
    (Conflict("x"), 409),
    (Overloaded("x"), 429),
    (CallerOverLimit("x"), 429),
    (PolicyInvalid("null", "x"), 500),
    (PdpError("x"), 500),
    (StoreUnavailable("x"), 503),
    (Refusal(HTTPStatus.GONE, "x"), 410),
    (Problem(HTTPStatus.GONE, "expired_denial", "x"), 410),
]


@pytest.mark.parametrize(("error", "wanted"), TABLE, ids=lambda value: getattr(value, "reason", value))
def test_error_has_one_status_and_a_body_that_says_it(error: PdpError, wanted: int) -> None:
    answer = problem(error, "req")
    assert (status(error), answer.status, answer.media) == (wanted, wanted, "application/problem+json")
    assert answer.content["status"] == wanted
    assert answer.content["reason"] == error.reason
    assert answer.content["request_id"] == "req"
    assert "decision" not in answer.content
    assert ("WWW-Authenticate" in answer.headers) == (wanted == 401)
    assert ("Retry-After" in answer.headers) == (wanted in {429, 503, 504})


def test_table_knows_codes_of_grpc_alone() -> None:
    assert set(STATUSES) <= {code.name for code in grpc.StatusCode}


@pytest.mark.parametrize(("seconds", "said"), [(0.1, "1"), (1.0, "1"), (1.2, "2"), (60.0, "60")])
def test_time_of_a_retry_is_in_whole_seconds(seconds: float, said: str) -> None:
    assert problem(Overloaded("x", seconds), "").headers["Retry-After"] == said


def test_paths_are_those_of_the_body() -> None:
    paths = ["request_id", "on_behalf_of[0].id", "approval_id", "request", "context"]
    answer = problem(InvalidRequest.fields([(path, "x") for path in paths]), "").content
    wanted = ["options.request_id", "options.on_behalf_of[0].id", "context.approval.id", "body", "context"]
    assert [one["field"] for one in answer["violations"]] == wanted
    assert answer["detail"] == "; ".join(f"{path}: x" for path in wanted)


def test_problem_of_a_profile_has_a_type_and_members_of_its_own() -> None:
    answer = problem(Problem(HTTPStatus.CONFLICT, "duplicate_request", "x", task="t"), "").content
    assert answer["type"].endswith("/duplicate_request")
    assert answer["task"] == "t"
