"""Who acts for whom by the token (`act`, RFC 8693), and that one human stays one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp import canonical
from pdp.caller import Role
from pdp.dev.identity import AGENTS, AUDIENCE, USERS, key_path
from pdp.identity_source import Issuer, SpeaksFor
from pdp.process.mongod import MongodProcess
from pdp.v1 import approval_pb2, review_pb2
from pdp.v1.approval_pb2 import GetApprovalRequest
from pdp.v1.decision_pb2 import GetDecisionRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests import tokens
from tests.known import UNSEEN
from tests.parts import Placet, asking, exporting, placet, refusal

CONTRACTORS = "https://contractors.example"


def issuers(state: Path) -> tuple[Issuer, ...]:
    people: dict[str, Any] = {"audience": AUDIENCE, "kind": "person", "jwks": key_path(state), "roles_claim": "roles"}
    return (
        Issuer(issuer=USERS, type="user", groups_claim="groups", actors=(AGENTS,), **people),
        Issuer(issuer=CONTRACTORS, type="contractor", groups_claim="groups", **people),
        Issuer(
            issuer=AGENTS,
            audience=AUDIENCE,
            type="agent",
            kind="workload",
            jwks=key_path(state),
            roles=(Role.REQUESTER,),
            roles_claim="roles",
            speaks_for={"report-bot": SpeaksFor(on_behalf_of=("user:alice", "user:bob"))},
        ),
    )


@pytest.fixture(scope="module")
async def acting(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, issuers=issuers(state)) as server:
        yield server


def metadata(server: Placet, identity: str = "user:eve", **claims: Any) -> tokens.Metadata:
    return tokens.bearer(tokens.signed(server.state, tokens.claims(identity, **claims)))


def bot(**members: Any) -> dict[str, Any]:
    return {"sub": "report-bot", "iss": AGENTS, **members}


def chain(answer: Any) -> list[str]:
    return [f"{subject.type}:{subject.id}" for subject in answer.on_behalf_of]


def on_behalf_of(*people: str) -> list[dict[str, str]]:
    return [dict(zip(("type", "id"), person.split(":"), strict=True)) for person in people]


@pytest.mark.parametrize(
    ("act", "named", "effective"),
    [
        (bot(), [], ["user:eve"]),
        (bot(), ["user:eve"], ["user:eve"]),
        (bot(), ["user:alice"], ["user:alice", "user:eve"]),
        (bot(), ["user:eve", "user:alice"], ["user:eve", "user:alice"]),
        (bot(act=bot(sub="planner")), [], ["agent:planner", "user:eve"]),
        (bot(act={"sub": "bob"}), [], ["user:bob", "user:eve"]),
        (bot(act=bot(sub="b", act=bot(sub="c"))), ["agent:c"], ["agent:c", "agent:b", "user:eve"]),
        (bot(act=bot(sub="b", act=bot(sub="b"))), [], ["agent:b", "user:eve"]),
    ],
)
async def test_chain_of_the_token_joins_and_cannot_be_left_out(
    acting: Placet, act: dict[str, Any], named: list[str], effective: list[str]
) -> None:
    request, credential = asking(onBehalfOf=on_behalf_of(*named)), metadata(acting, act=act)
    answer = await acting.decisions.Authorize(request, metadata=credential)
    assert chain(answer) == effective
    joined = canonical.canonical(asking(onBehalfOf=on_behalf_of(*effective)), "dev")
    assert answer.request_digest == joined.digest
    asked = GetDecisionRequest(decision_id=answer.decision_id)
    recorded = await acting.decisions.GetDecision(asked, metadata=credential)
    assert chain(recorded.request) == effective


async def test_whom_the_token_does_not_name_needs_the_configuration(acting: Placet) -> None:
    for subject, named in (
        ("agent:report-bot", ["user:carol"]),
        ("agent:report-bot", ["agent:planner"]),
        ("user:eve", []),
        ("user:alice", []),
    ):
        kind, _, identifier = subject.partition(":")
        request = asking(subject={"type": kind, "id": identifier}, onBehalfOf=on_behalf_of(*named))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await acting.decisions.Authorize(request, metadata=metadata(acting, act=bot()))
        assert refusal(refused.value).reason == "SUBJECT_NOT_ALLOWED"


async def test_actor_has_no_role_or_group_of_its_subject(acting: Placet) -> None:
    claims = {"roles": ["reviewer", "auditor"], "groups": ["data-stewards"]}
    info = await acting.info.GetServerInfo(
        GetServerInfoRequest(), metadata=metadata(acting, "user:bob", act=bot(), **claims)
    )
    assert (info.caller.identity, info.caller.kind) == ("agent:report-bot", "workload")
    assert (list(info.caller.roles), list(info.caller.groups)) == (["requester"], [])
    own = metadata(acting, act=bot(roles=["auditor"]))
    assert (await acting.info.GetServerInfo(GetServerInfoRequest(), metadata=own)).caller.roles == [
        "auditor",
        "requester",
    ]


async def test_who_acts_for_somebody_reviews_nothing(acting: Placet) -> None:
    approval = (await acting.authorize(exporting())).approval
    steward = {"sub": "bob", "roles": ["reviewer"], "groups": ["data-stewards"]}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await review(acting, approval, metadata(acting, "user:carol", act=steward))
    assert refusal(refused.value).reason == "PERSON_REQUIRED"


async def test_whoever_stands_in_the_token_never_reviews(acting: Placet) -> None:
    request = exporting(onBehalfOf=on_behalf_of("user:alice"))
    approval = (await acting.decisions.Authorize(request, metadata=metadata(acting, "user:bob", act=bot()))).approval
    assert approval.approval_id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await acting.review(approval, "bob")
    assert refusal(refused.value).code == "PERMISSION_DENIED"
    assert len((await acting.review(approval, "carol")).reviews) == 1


async def review(server: Placet, approval: Any, credential: tokens.Metadata) -> Any:
    request = review_pb2.ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=await server.version(approval, credential),
        expected_lineage=UNSEEN,
        verdict=approval_pb2.Verdict.VERDICT_APPROVE,
        reason="read it",
    )
    return (await server.reviews.Review(request, metadata=credential)).approval


LIKE_BOB = ["user: bob", "user:Bob", "user:BOB", "user:bob ", "user:bоb", "user:b\u200bob", "contractor:bob"]  # noqa: RUF001
STEWARD = {"groups": ["data-stewards"], "roles": ["requester", "reviewer"]}


def like(server: Placet, identity: str) -> tokens.Metadata:
    kind, _, sub = identity.partition(":")
    return metadata(server, "user:x", **{"sub": sub, "iss": USERS if kind == "user" else CONTRACTORS, **STEWARD})


@pytest.mark.parametrize("identity", LIKE_BOB)
async def test_identity_is_compared_byte_for_byte(acting: Placet, identity: str) -> None:
    """Who only looks like a steward of the bundle is none, nor can one speak for who looks like a principal."""
    credential = like(acting, identity)
    info = await acting.info.GetServerInfo(GetServerInfoRequest(), metadata=credential)
    assert info.caller.identity == identity
    for_bob = asking(onBehalfOf=on_behalf_of("user:bob"))
    assert (await acting.authorize(for_bob)).decision_id
    for asked, by in (
        (asking(onBehalfOf=on_behalf_of(identity)), acting.metadata("report-bot")),
        (asking(subject={"type": "user", "id": "bob"}, onBehalfOf=[]), credential),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await acting.decisions.Authorize(asked, metadata=by)
        assert refusal(refused.value).reason == "SUBJECT_NOT_ALLOWED"


async def test_one_person_is_one_whichever_the_token(acting: Placet) -> None:
    """A second review by the same person counts once; one who only looks like it is somebody else."""
    approval = (await acting.authorize(exporting())).approval
    await review(acting, approval, like(acting, "user:bob"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await review(acting, approval, like(acting, "user:bob"))
    assert refusal(refused.value).reason == "ALREADY_REVIEWED"
    with pytest.raises(grpc.aio.AioRpcError):
        await review(acting, approval, like(acting, "user:alice"))
    got = await acting.approvals.GetApproval(
        GetApprovalRequest(approval_id=approval.approval_id), metadata=acting.metadata("report-bot")
    )
    assert [one.reviewer for one in got.approval.reviews] == ["user:bob"]
