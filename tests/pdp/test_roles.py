"""Every RPC of the contract, called by every role, as a person and as a program."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from pdp.authn import ANYONE, PERSONS_ONLY, ROLES
from pdp.config import Role
from pdp.mongod_process import MongodProcess
from pdp.stack import configuration
from pdp.v1 import approval_pb2, audit_pb2, decision_pb2, info_pb2, mask_pb2, review_pb2
from tests.parts import Placet, placet, refusal
from tests.tokens import metadata

FILES = (decision_pb2, approval_pb2, review_pb2, audit_pb2, info_pb2, mask_pb2)
ALLOWED = {
    "DecisionService/Authorize": {"requester"},
    "DecisionService/BatchAuthorize": {"requester"},
    "DecisionService/GetDecision": {"requester"},
    "ApprovalService/ListApprovals": {"requester"},
    "ApprovalService/GetApproval": {"requester", "reviewer"},
    "ApprovalService/CancelApproval": {"requester"},
    "ApprovalService/ReportOutcome": {"requester"},
    "ApprovalService/WaitApproval": {"requester", "reviewer"},
    "ReviewService/ListQueue": {"reviewer"},
    "ReviewService/WatchQueue": {"reviewer"},
    "ReviewService/Review": {"reviewer"},
    "ReviewService/RevokeApproval": {"reviewer"},
    "MaskService/Mask": {"requester"},
    "MaskService/MaskStream": {"requester"},
    "MaskService/GetMaskPlan": {"requester"},
    "MaskService/Unmask": {"requester"},
    "MaskService/Rewrap": {"requester"},
    "AuditService/ListRecords": {"auditor"},
    "AuditService/GetRecord": {"auditor"},
    "AuditService/ExportRecords": {"auditor"},
    "InfoService/GetServerInfo": {"requester", "reviewer", "auditor", "none"},
}
PERSONS = {method for method in ALLOWED if method.startswith("ReviewService/")}
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
    """The reason of the refusal; empty where the caller came through to the handler."""
    path = f"/{rpc.containing_service.full_name}/{rpc.name}"
    parse: Callable[[bytes], Any] = message_factory.GetMessageClass(rpc.output_type).FromString
    try:
        if rpc.client_streaming:
            async for _ in channel.stream_stream(path, None, parse)(iter([body]), metadata=credentials):
                break
        elif rpc.server_streaming:
            async for _ in channel.unary_stream(path, None, parse)(body, metadata=credentials):
                break
        else:
            await channel.unary_unary(path, None, parse)(body, metadata=credentials)
    except grpc.aio.AioRpcError as error:
        reason = refusal(error).reason
        assert reason not in {"INTERNAL", ""}
        return reason if reason in {"UNAUTHENTICATED", "ROLE_REQUIRED", "PERSON_REQUIRED"} else ""
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
