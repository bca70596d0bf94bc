"""The form of answers: times as JSON has them, and the error of one question among many in its place."""

from datetime import UTC, datetime

from pdp.errors import InvalidRequest, NotFound
from pdp.http.decision import failed, instant
from pdp.workflow.answer import Failed


def test_time_is_of_rfc_3339_in_utc() -> None:
    assert instant(datetime(2026, 11, 24, 12, 0, 0, 7000, tzinfo=UTC)) == "2026-11-24T12:00:00.007Z"


def test_error_in_its_place_is_false_and_has_the_status_that_it_would_have_alone() -> None:
    bad = failed(Failed(InvalidRequest.field("request_id", "is empty")))
    assert bad["decision"] is False
    error = bad["context"]["error"]
    assert (error["status"], error["message"]) == (400, "options.request_id: is empty")
    assert error["violations"] == [{"field": "options.request_id", "description": "is empty"}]
    missing = failed(Failed(NotFound("APPROVAL_NOT_FOUND", "none")))["context"]["error"]
    assert (missing["status"], missing["reason"], "violations" in missing) == (404, "APPROVAL_NOT_FOUND", False)
