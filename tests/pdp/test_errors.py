"""What an error carries, and that the edge has a status for each."""

import re
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from pdp import errors
from pdp.client.enforcement import ApprovalPending
from pdp.errors import (
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    PdpError,
    PolicyInvalid,
    QuotaExceeded,
    Unauthenticated,
)
from pdp.server.status import status


def details(error: PdpError) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for packed in status(error).details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                unpacked = kind()
                packed.Unpack(unpacked)
                found[kind.__name__] = unpacked
    return found


def test_error_has_the_details_of_google_rpc() -> None:
    field = details(InvalidRequest.field("subject.id", "is required"))
    assert field["ErrorInfo"].domain == "placet.dev"
    assert field["ErrorInfo"].reason == "INVALID_REQUEST"
    assert [(v.field, v.description) for v in field["BadRequest"].field_violations] == [("subject.id", "is required")]
    assert "RetryInfo" not in field
    retry = details(Conflict("again"))
    assert retry["RetryInfo"].retry_delay.ToMilliseconds() == 100
    assert "BadRequest" not in retry
    assert set(details(Unauthenticated("who"))) == {"ErrorInfo"}


def every(kind: type[PdpError]) -> set[type[PdpError]]:
    return {kind}.union(*(every(below) for below in kind.__subclasses__()))


KINDS = sorted(every(PdpError), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_grpc_code(kind: type[PdpError]) -> None:
    assert kind.code in grpc.StatusCode.__members__


OWN = [kind for kind in KINDS if kind.__module__ == errors.__name__]


def test_reason_names_one_kind_of_error_or_is_given_with_it() -> None:
    assert len(OWN) > 30
    reasons = [kind.reason for kind in OWN if kind not in (NotAllowed, NotFound)]
    assert len(set(reasons)) == len(reasons)
    assert all(re.fullmatch("[A-Z]+(?:_[A-Z]+)*", reason) for reason in reasons)
    assert NotAllowed("ROLE_REQUIRED", "not you").reason == "ROLE_REQUIRED"
    assert NotFound("APPROVAL_NOT_FOUND", "none").reason == "APPROVAL_NOT_FOUND"


def test_trying_again_is_advised_where_it_can_help_and_only_there() -> None:
    for kind in OWN:
        passes = kind.code in ("UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED")
        assert passes or kind.retry_seconds is None, kind
    assert {kind for kind in OWN if kind.code == "UNAVAILABLE" and kind.retry_seconds is None} == set()
    assert QuotaExceeded("used up", 17.5).retry_seconds == 17.5
    assert QuotaExceeded.retry_seconds is None


def test_field_is_named_in_the_sentence_and_apart() -> None:
    error = InvalidRequest.field("resource.properties.tags[0]", "is required")
    assert error.sentence == str(error) == "resource.properties.tags[0]: is required"
    assert error.violations == (("resource.properties.tags[0]", "is required"),)


def test_policys_problem_and_its_file_are_in_the_metadata() -> None:
    assert PolicyInvalid("conflict", "two", "p.rego:3").metadata == {"problem": "conflict", "file": "p.rego:3"}
    assert PolicyInvalid("null", "nothing").metadata == {"problem": "null"}


def test_pending_approval_says_how_to_go_on() -> None:
    error = ApprovalPending("apr_1", "call-1")
    assert (error.approval_id, error.request_id) == ("apr_1", "call-1")
    assert error.metadata == {"approval_id": "apr_1", "request_id": "call-1"}
    assert "apr_1" in error.sentence


def test_metadata_of_an_error_does_not_leak_into_the_next() -> None:
    first = Conflict("again", state="PENDING")
    assert (first.metadata, Conflict("again").metadata) == ({"state": "PENDING"}, {})
