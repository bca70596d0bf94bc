"""Every RPC of the contract, called by every role, as a person and as a program."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from pdp.caller import ANYONE, PERSONS_ONLY, ROLES, Caller, Role
from pdp.dev.stack import configuration
from pdp.errors import NotAllowed
from pdp.process.mongod import MongodProcess
from pdp.v1 import (
    approval_pb2,
    audit_pb2,
    decision_pb2,
    info_pb2,
    lineage_pb2,
    mask_job_pb2,
    mask_pb2,
    person_pb2,
    review_pb2,
)
from tests.parts import Placet, exporting, placet, refusal
from tests.tokens import metadata

MASKS = (mask_pb2, mask_job_pb2)
FILES = (decision_pb2, approval_pb2, review_pb2, person_pb2, audit_pb2, info_pb2, *MASKS, lineage_pb2)
ALLOWED = {
    "DecisionService/Authorize": {"requester"},
    "DecisionService/BatchAuthorize": {"requester"},
    "DecisionService/StreamAuthorize": {"requester"},
    "DecisionService/GetDecision": {"requester"},
    "ApprovalService/ListApprovals": {"requester", "reviewer"},
    "ApprovalService/GetApproval": {"requester", "reviewer"},
    "ApprovalService/WaitApproval": {"requester", "reviewer"},
    "ApprovalService/CancelApproval": {"requester", "reviewer"},
    "ApprovalService/ReportOutcome": {"requester"},
    "ReviewService/ListQueue": {"reviewer"},
    "ReviewService/WatchQueue": {"reviewer"},
    "ReviewService/Review": {"reviewer"},
    "ReviewService/RevokeApproval": {"reviewer"},
    "ReviewService/ListHistory": {"reviewer"},
    "ReviewService/TakeBackDenial": {"reviewer"},
    "ReviewService/BeginReview": {"reviewer"},
    "PersonService/ListPasskeys": {"requester", "reviewer", "auditor", "steward"},
    "PersonService/RemovePasskey": {"requester", "reviewer", "auditor", "steward"},
    "PersonService/ListLinks": {"requester", "reviewer", "auditor", "steward"},
    "PersonService/RemoveLink": {"requester", "reviewer", "auditor", "steward"},
    "PersonService/GetPreferences": {"requester", "reviewer", "auditor", "steward"},
    "PersonService/SetPreferences": {"requester", "reviewer", "auditor", "steward"},
    "MaskService/Mask": {"requester"},
    "MaskService/MaskStream": {"requester"},
    "MaskService/GetMaskPlan": {"requester"},
    "MaskService/Unmask": {"requester"},
    "MaskService/UnmaskStream": {"requester"},
    "MaskService/Rewrap": {"requester"},
    "MaskJobService/StartMaskJob": {"requester"},
    "MaskJobService/FinishMaskJob": {"requester"},
    "MaskJobService/CancelMaskJob": {"requester", "reviewer"},
    "MaskJobService/GetMaskJob": {"requester", "reviewer", "auditor"},
    "MaskJobService/ListMaskJobs": {"requester", "reviewer", "auditor"},
    "AuditService/ListRecords": {"auditor"},
    "AuditService/GetRecord": {"auditor"},
    "AuditService/ExportRecords": {"auditor"},
    "AuditService/AcceptGap": {"auditor"},
    "LineageService/Ingest": {"lineage_writer"},
    "LineageService/GetLineage": {"requester", "reviewer", "auditor", "steward"},
    "LineageService/GetPath": {"requester", "reviewer", "auditor", "steward"},
    "LineageService/ExplainTag": {"requester", "reviewer", "auditor", "steward"},
    "LineageService/ListTags": {"reviewer", "auditor", "steward"},
    "LineageService/Tag": {"steward"},
    "LineageService/Classify": {"steward"},
    "LineageService/Untag": {"steward"},
    "LineageService/EndEdge": {"steward"},
    "LineageService/Unlink": {"steward"},
    "LineageService/Declassify": {"steward"},
    "LineageService/ListSuggestions": {"reviewer", "auditor", "steward"},
    "LineageService/Suggest": {"steward", "lineage_writer"},
    "LineageService/SettleSuggestion": {"steward"},
    "LineageService/ListProblems": {"reviewer", "auditor", "steward"},
    "LineageService/GetCoverage": {"reviewer", "auditor", "steward"},
    "InfoService/GetServerInfo": {"requester", "reviewer", "auditor", "lineage_writer", "steward", "none"},
}
PERSONS = {
    rpc
    for rpc in ALLOWED
    if rpc.startswith(("ReviewService/", "PersonService/", "AuditService/AcceptGap")) or ALLOWED[rpc] == {"steward"}
}
ITS = {
    "DecisionService/GetDecision": {"creator"},
    "ApprovalService/GetApproval": {"creator", "steward", "a steward without the role", "the person it is for"},
    "ApprovalService/WaitApproval": {"creator", "steward", "a steward without the role", "the person it is for"},
    "ApprovalService/CancelApproval": {"creator", "the person it is for"},
    "ApprovalService/ReportOutcome": {"creator"},
    "ReviewService/Review": {"steward"},
    "ReviewService/RevokeApproval": {"steward"},
    "ReviewService/TakeBackDenial": {"steward"},
    "ReviewService/BeginReview": {"steward"},
}
"""To whom an object exists. For everybody else of the right role it is as if there were none."""
CREATOR = ("agent:report-bot", "requester")
PEOPLE = {
    "creator": CREATOR,
    "steward": ("user:bob", "reviewer"),
    "another person": ("user:mallory", "requester", "reviewer"),
    "a steward without the role": ("user:bob", "requester"),
    "another agent": ("agent:other", "requester"),
    "the person it is for": ("user:alice", "requester"),
}
NO_OBJECT = {"decision_id": f"dec_{'0' * 32}", "approval_id": f"apr_{'0' * 32}"}
SECONDS = 2.0
STRANGERS = ("", "admin", "Requester", "requester ", "*", "auditor,reviewer")


def rpcs() -> Iterator[MethodDescriptor]:
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def name(rpc: MethodDescriptor) -> str:
    return f"{rpc.containing_service.name}/{rpc.name}"


RPCS = {name(rpc): rpc for rpc in rpcs()}


@pytest.fixture(scope="module")
async def walked(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which every role comes from the token, a program's too."""
    issuers = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri).issuers
    from_claims = tuple(issuer.model_copy(update={"roles": (), "roles_claim": "roles"}) for issuer in issuers)
    async with placet(state, mongod.uri, issuers=from_claims) as running:
        yield running


async def call(channel: grpc.aio.Channel, rpc: MethodDescriptor, credentials: Any, body: bytes = b"") -> str:
    """The reason of a refusal by role; empty where the caller came through to the handler."""
    reason = await said(channel, rpc, credentials, body)
    return reason if reason in {"UNAUTHENTICATED", "ROLE_REQUIRED", "PERSON_REQUIRED"} else ""


async def said(channel: grpc.aio.Channel, rpc: MethodDescriptor, credentials: Any, body: bytes) -> str:
    """The reason of any refusal; empty for an answer, and where none comes as nothing happens.

    gRPC for Python says something of its own where the server's refusal was faster than the client's message.
    """
    path = f"/{rpc.containing_service.full_name}/{rpc.name}"
    parse: Callable[[bytes], Any] = message_factory.GetMessageClass(rpc.output_type).FromString
    try:
        if rpc.client_streaming:
            async for _ in channel.stream_stream(path, None, parse)(iter([body]), metadata=credentials):
                break
        elif rpc.server_streaming:
            async for _ in channel.unary_stream(path, None, parse)(body, metadata=credentials, timeout=SECONDS):
                break
        else:
            await channel.unary_unary(path, None, parse)(body, metadata=credentials, timeout=SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.details() == "Internal error from Core":
            return await said(channel, rpc, credentials, body)
        reason = refusal(error).reason
        late = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert late or reason not in {"INTERNAL", ""}
        return "" if late else reason
    return ""


def test_every_rpc_has_its_row_in_both_tables() -> None:
    full = {f"pdp.v1.{rpc}" for rpc in RPCS}
    assert set(ALLOWED) == set(RPCS)
    assert set(ROLES) == full
    assert {f"pdp.v1.{rpc}" for rpc in PERSONS} == PERSONS_ONLY
    assert {f"pdp.v1.{rpc}" for rpc, roles in ALLOWED.items() if "none" in roles} == ANYONE
    assert {str(role) for role in Role} | {"none"} == set().union(*ALLOWED.values())


def test_all_services_of_the_contract_are_walked() -> None:
    assert len(RPCS) == sum(
        len(service.methods) for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
    )
    assert not [rpc for rpc in RPCS.values() if rpc.client_streaming and not rpc.server_streaming]


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("identity", ["user:walker", "agent:walker"])
async def test_role_opens_exactly_its_rpcs(walked: Placet, rpc: str, identity: str) -> None:
    is_person = identity.startswith("user:")
    for role in Role:
        said = await call(walked.channel, RPCS[rpc], metadata(walked.state, identity, role))
        if str(role) not in ALLOWED[rpc]:
            assert said == "ROLE_REQUIRED", role
        elif rpc in PERSONS and not is_person:
            assert said == "PERSON_REQUIRED", role
        else:
            assert said == "", role


@pytest.mark.parametrize("rpc", RPCS)
async def test_unknown_role_opens_nothing(walked: Placet, rpc: str) -> None:
    expected = "" if "none" in ALLOWED[rpc] else "ROLE_REQUIRED"
    for role in STRANGERS:
        assert await call(walked.channel, RPCS[rpc], metadata(walked.state, "user:walker", role)) == expected
    assert await call(walked.channel, RPCS[rpc], metadata(walked.state, "user:walker")) == expected


@pytest.mark.parametrize("rpc", RPCS)
async def test_nobody_calls_unauthenticated_not_even_with_a_bad_message(walked: Placet, rpc: str) -> None:
    for body in (b"", b"\xff\xff\xff"):
        assert await call(walked.channel, RPCS[rpc], None, body) == "UNAUTHENTICATED"


@pytest.mark.parametrize("rpc", sorted(PERSONS))
async def test_program_never_reviews_whatever_its_roles(walked: Placet, rpc: str) -> None:
    every = metadata(walked.state, "agent:walker", *Role)
    assert await call(walked.channel, RPCS[rpc], every) == "PERSON_REQUIRED"


def names(rpc: MethodDescriptor) -> str:
    """The field that names the object which a call is about."""
    return next((field.name for field in rpc.input_type.fields if field.name in NO_OBJECT), "")


def test_every_rpc_about_an_object_says_whose_it_is() -> None:
    asks_or_filters = {"DecisionService/Authorize", "AuditService/ListRecords"}
    assert {rpc for rpc in RPCS if names(RPCS[rpc])} - asks_or_filters == set(ITS)


@pytest.mark.parametrize("rpc", ITS)
@pytest.mark.parametrize("who", PEOPLE)
async def test_object_of_others_is_none(walked: Placet, rpc: str, who: str) -> None:
    method, field = RPCS[rpc], names(RPCS[rpc])
    asked = await walked.decisions.Authorize(exporting(), metadata=metadata(walked.state, *CREATOR))
    own = {"decision_id": asked.decision_id, "approval_id": asked.approval.approval_id}[field]
    identity, *roles = PEOPLE[who]
    request = message_factory.GetMessageClass(method.input_type)
    for name_of_it in (own, NO_OBJECT[field]):
        filled = request(
            **{field: name_of_it, **{name: value for name, value in FILLED.items() if name in fields(method)}}
        )
        reason = await said(
            walked.channel, method, metadata(walked.state, identity, *roles), filled.SerializeToString()
        )
        if not ALLOWED[rpc] & set(roles):
            assert reason == "ROLE_REQUIRED"
        elif rpc in PERSONS and not identity.startswith("user:"):
            assert reason == "PERSON_REQUIRED"
        else:
            is_seen = name_of_it == own and who in ITS[rpc]
            assert reason.endswith("_NOT_FOUND") == (not is_seen), reason


def fields(rpc: MethodDescriptor) -> set[str]:
    return {field.name for field in rpc.input_type.fields}


FILLED = {"reason": "read it", "expected_digest": "A" * 43, "expected_version": 1, "verdict": 1, "state": 1}


def speaking(subjects: tuple[str, ...] = (), on_behalf_of: tuple[str, ...] = ()) -> Caller:
    return Caller(
        "agent:bot", "workload", frozenset(), (), b"{}", may_ask_as=tuple(subjects), may_act_for=tuple(on_behalf_of)
    )


@pytest.mark.parametrize(
    ("patterns", "identity", "is_covered"),
    [
        ((), "agent:bot", True),
        ((), "agent:bot2", False),
        ((), "user:alice", False),
        (("user:alice",), "user:alice", True),
        (("user:alice",), "user:alice2", False),
        (("user:alice",), "user:Alice", False),
        (("user:alice",), "user:alic", False),
        (("user:*",), "user:alice", True),
        (("user:*",), "user:", True),
        (("user:*",), "users:alice", False),
        (("user:*",), "agent:user:alice", False),
        (("user:al*",), "user:alice", False),
        (("user:al*",), "user:al*", True),
        (("*",), "anything:at all", True),
        (("agent:a", "user:*"), "user:alice", True),
        (("*:alice",), "user:alice", False),
    ],
)
def test_caller_speaks_for_itself_and_whom_its_entry_covers(
    patterns: tuple[str, ...], identity: str, *, is_covered: bool
) -> None:
    for caller, subject, chain in (
        (speaking(subjects=patterns), identity, []),
        (speaking(on_behalf_of=patterns), "agent:bot", [identity]),
        (speaking(on_behalf_of=patterns), "agent:bot", ["agent:bot", identity]),
    ):
        if is_covered:
            caller.may_speak_for(subject, chain)
        else:
            with pytest.raises(NotAllowed) as refused:
                caller.may_speak_for(subject, chain)
            assert refused.value.reason == "SUBJECT_NOT_ALLOWED"


def test_speaking_as_a_subject_is_not_acting_for_it_and_the_other_way_round() -> None:
    with pytest.raises(NotAllowed):
        speaking(subjects=("user:*",)).may_speak_for("agent:bot", ["user:alice"])
    with pytest.raises(NotAllowed):
        speaking(on_behalf_of=("user:*",)).may_speak_for("user:alice", [])
