"""All bad fields of a request in one error."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest

from pdp.bad_fields import MAX_NAMED, BadFields, shown
from pdp.canonical import canonical, checked_id
from pdp.errors import Conflict, InvalidRequest
from pdp.server.status import status
from pdp.v1.approval_pb2 import ListApprovalsRequest, ReportOutcomeRequest
from pdp.v1.audit_pb2 import ListRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.review_pb2 import ListHistoryRequest, RevokeApprovalRequest, TakeBackDenialRequest
from tests.parts import Placet
from tests.pdp.requests import with_context
from tests.pdp.wire import refused

IDS = ["subject.type", "subject.id", "action.name", "resource.type", "resource.id"]


def fields(request: AuthorizeRequest) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        canonical(request, "dev")
    return [path for path, _ in caught.value.violations]


def test_every_bad_field_of_a_request_is_named() -> None:
    request = AuthorizeRequest()
    request.on_behalf_of.add(type="a:b")
    request.context.update({"deep": {"n": 2.0**60, "fine": 1, "text": "\0"}, "list": [1, "\0", {"key": float("inf")}]})
    request.resource.properties["size"] = float("nan")
    deep = ["context.deep.n", "context.deep.text", "context.list[1]", "context.list[2].key"]
    chain = ["on_behalf_of[0].type", "on_behalf_of[0].id"]
    assert sorted(fields(request)) == sorted([*IDS, *chain, "resource.properties.size", *deep])


def test_at_most_twenty_are_named() -> None:
    assert len(fields(with_context({"many": ["\0"] * 100, "more": "\0"}))) == MAX_NAMED == 20
    assert len(fields(with_context({f"k{index}": {"a": "\0", "b": "\0"} for index in range(50)}))) == MAX_NAMED


def tried(ids: Mapping[str, str]) -> list[str]:
    with BadFields() as bad:
        return [bad.tried(checked_id, text, path) for path, text in ids.items()]


def test_block_ends_with_all_that_was_refused_and_only_with_that() -> None:
    with pytest.raises(InvalidRequest) as caught:
        tried({"one": "fine", "two": "", "three": "\n"})
    assert [path for path, _ in caught.value.violations] == ["two", "three"]
    assert str(caught.value) == "two: is required; three: contains a control character; remove it"
    assert tried({"one": "fine"}) == ["fine"]


def test_another_error_ends_the_block_as_it_is() -> None:
    def conflict() -> None:
        raise Conflict("again")

    with pytest.raises(Conflict), BadFields() as bad:
        bad.tried(conflict)


async def test_error_without_a_field_ends_the_block() -> None:
    def broken() -> None:
        raise InvalidRequest("an Arrow message points outside itself")

    async def breaks() -> None:
        broken()

    with pytest.raises(InvalidRequest, match="outside itself"), BadFields() as bad:
        bad.tried(broken)
    with pytest.raises(InvalidRequest, match="outside itself"), BadFields() as bad:
        await bad.awaited(breaks())


def test_twenty_usual_fields_fit_into_the_trailers_that_every_client_accepts() -> None:
    usual = [(f"resource.properties.columns[{index}]", "is a whole number beyond 2^53-1" * 2) for index in range(20)]
    [found] = [detail for detail in status(InvalidRequest.fields(usual)).details if detail.Is(BadRequest.DESCRIPTOR)]
    assert len(BadRequest.FromString(found.value).field_violations) == MAX_NAMED


@pytest.mark.parametrize("text", ["x" * 1000, "é" * 1000, "\U0001f600" * 1000])
def test_error_fits_into_the_trailers_whatever_it_names(text: str) -> None:
    made = status(InvalidRequest.fields([(text, text)] * 20))
    assert len(quote(made.message)) + made.ByteSize() * 4 / 3 < 8 * 1024 - 256
    assert len(list(shown([(text, text)] * 20, 100))) == 0


OTHERS = "x"
"""No token of a page."""
CASES: Mapping[str, tuple[str, str, Any, list[str]]] = {
    "Authorize": (
        "decisions",
        "report-bot",
        AuthorizeRequest(request_id="\n", attempt_id="x" * 65, justification="x" * 2001),
        ["request_id", "attempt_id", "justification", *IDS],
    ),
    "BatchAuthorize": (
        "decisions",
        "report-bot",
        BatchAuthorizeRequest(defaults=AuthorizeRequest(request_id="a", approval_id="b"), semantics=9),
        ["items", "defaults.request_id", "defaults.approval_id", "semantics"],
    ),
    "ListApprovals": (
        "approvals",
        "alice",
        ListApprovalsRequest(page_size=101, page_token=OTHERS, state=99),
        ["page_size", "page_token", "state"],
    ),
    "ReportOutcome": (
        "approvals",
        "report-bot",
        ReportOutcomeRequest(approval_id="x", detail="x" * 2001),
        ["approval_id", "detail", "state"],
    ),
    "RevokeApproval": ("reviews", "bob", RevokeApprovalRequest(approval_id="x"), ["approval_id", "reason"]),
    "TakeBackDenial": ("reviews", "bob", TakeBackDenialRequest(approval_id="x"), ["approval_id"]),
    "ListHistory": (
        "reviews",
        "bob",
        ListHistoryRequest(
            page_size=101, page_token=OTHERS, state=99, caller="a\nb", action="\0", resource_type="x" * 1025
        ),
        ["page_size", "page_token", "state", "caller", "action", "resource_type"],
    ),
    "ListRecords": (
        "audit",
        "dana",
        ListRecordsRequest(page_size=-1, page_token=OTHERS, kind="x", effect=9, approval_id="x"),
        ["page_size", "page_token", "kind", "effect", "approval_id"],
    ),
}


@pytest.mark.parametrize("rpc", CASES)
async def test_each_rpc_names_all_bad_fields(server: Placet, rpc: str) -> None:
    stub, by, request, expected = CASES[rpc]
    why = await refused(getattr(getattr(server, stub), rpc)(request, metadata=server.metadata(by)))
    assert (why.code, why.reason, list(why.fields)) == ("INVALID_ARGUMENT", "INVALID_REQUEST", expected)


async def test_item_of_a_batch_has_the_terms_of_a_call_of_its_own(server: Placet) -> None:
    request = BatchAuthorizeRequest(items=[AuthorizeRequest(request_id="\n")])
    answer = await server.decisions.BatchAuthorize(request, metadata=server.metadata("report-bot"))
    error = json_format.MessageToDict(answer.results[0].error, preserving_proto_field_name=True)
    assert (error["code"], error["reason"], error["domain"]) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "placet.dev")
    assert [violation["field"] for violation in error["field_violations"]] == ["request_id", *IDS]
    assert "retry_delay" not in error
