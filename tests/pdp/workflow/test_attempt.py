"""An approval is used by one attempt: its repetition gets the same answer, any other one a deny that names the use."""

from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, BatchAuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, log, refusal
from tests.pdp.mongo import database


def attempt(request: AuthorizeRequest, attempt_id: str | None = None, **changes: str) -> AuthorizeRequest:
    """The same request by another attempt."""
    made = AuthorizeRequest()
    made.CopyFrom(request)
    made.attempt_id = uuid4().hex if attempt_id is None else attempt_id
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def used(server: Placet) -> tuple[AuthorizeRequest, AuthorizeResponse]:
    request = exporting(requestId=f"call-{uuid4().hex}")
    await server.approved(request)
    answer = await server.authorize(request)
    assert answer.effect == Effect.EFFECT_ALLOW
    return request, answer


def consumed(answer: AuthorizeResponse) -> str:
    assert answer.effect == Effect.EFFECT_DENY
    assert [reason.rule for reason in answer.reasons] == ["pdp.approval_consumed"]
    assert not answer.grant
    return answer.reasons[0].reason


async def test_the_same_attempt_gets_its_decision_and_grant_again_also_later(
    server: Placet, mongod: MongodProcess
) -> None:
    request, first = await used(server)
    async with database(mongod, server) as found:
        held = await found["approvals"].find_one({"_id": first.approval.approval_id}) or {}
    assert held["used_by"]["attempt_id"] == request.attempt_id
    for again in [await server.authorize(request) for _ in range(2)]:
        assert (again.effect, again.decision_id, again.grant) == (first.effect, first.decision_id, first.grant)
    by_id = await server.authorize(attempt(request, request.attempt_id, approval_id=first.approval.approval_id))
    assert (by_id.decision_id, by_id.grant) == (first.decision_id, first.grant)


@pytest.mark.parametrize("other", ["", "another"])
@pytest.mark.parametrize("names", ["request_id", "approval_id", "both"])
async def test_any_other_attempt_is_denied_with_the_decision_that_has_the_use(
    server: Placet, other: str, names: str
) -> None:
    request, first = await used(server)
    changes = {} if names == "request_id" else {"approval_id": first.approval.approval_id}
    if names == "approval_id":
        changes["request_id"] = ""
    why = consumed(await server.authorize(attempt(request, other, **changes)))
    at = first.approval.closed_at.ToDatetime()
    assert f"was used at {at:%Y-%m-%dT%H:%M:%SZ} by {first.decision_id}" in why
    assert f'request_id "{request.request_id}"' in why
    advice = {
        "request_id": "take a new request_id",
        "approval_id": "name no approval",
        "both": "take a new request_id and name no approval",
    }
    assert why.endswith(f"to ask again, {advice[names]}")


async def test_use_without_an_attempt_is_repeated_by_nobody(server: Placet) -> None:
    request = attempt(exporting(requestId=uuid4().hex), "")
    await server.approved(request)
    assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
    for other in ("", "another"):
        consumed(await server.authorize(attempt(request, other)))


async def test_attempt_is_no_part_of_the_digest_and_stands_in_the_records(server: Placet) -> None:
    request, first = await used(server)
    assert (await server.authorize(attempt(request))).request_digest == first.request_digest
    records = {record["id"]: held for record, held in await log(server)}
    assert records["rec_" + first.decision_id[4:]]["details"]["attempt_id"] == request.attempt_id
    (use,) = [
        held
        for record, held in await log(server, "approval.consumed")
        if record["approval_id"] == first.approval.approval_id
    ]
    assert use["attempt_id"] == request.attempt_id


async def test_plain_allow_is_evaluated_anew_for_the_same_attempt(server: Placet) -> None:
    request = asking(requestId=uuid4().hex, attemptId=uuid4().hex)
    answers = [await server.authorize(request) for _ in range(2)]
    changed = await server.authorize(
        asking(requestId=request.request_id, attemptId=request.attempt_id, context={"a": 1})
    )
    assert {answer.effect for answer in (*answers, changed)} == {Effect.EFFECT_ALLOW}
    assert len({answer.decision_id for answer in (*answers, changed)}) == 3


async def test_attempt_of_a_batch_is_an_items_own(server: Placet) -> None:
    request, first = await used(server)
    batch = BatchAuthorizeRequest(items=[request, attempt(request), attempt(request, "")])
    answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
    same, *others = [result.decision for result in answer.results]
    assert (same.decision_id, same.grant) == (first.decision_id, first.grant)
    for other in others:
        consumed(other)
    batch = BatchAuthorizeRequest(defaults=AuthorizeRequest(attempt_id="x"), items=[request])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).fields == ("defaults.attempt_id",)


@pytest.mark.parametrize("attempt_id", ["a\nb", "\0", "x" * 65, "ü" * 33])
async def test_attempt_that_is_none_is_refused(server: Placet, attempt_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(asking(attemptId=attempt_id))
    why = refusal(refused.value)
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("attempt_id",))


async def test_attempt_that_somebody_wrote_into_a_use_gets_no_grant(server: Placet, mongod: MongodProcess) -> None:
    request, first = await used(server)
    async with database(mongod, server) as found:
        this = {"_id": first.approval.approval_id}
        await found["approvals"].update_one(this, {"$set": {"used_by.attempt_id": "planted"}})
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(attempt(request, "planted"))
    assert refusal(refused.value).reason == "APPROVAL_TAMPERED"
    why = (await server.authorize(attempt(request))).reasons[0].reason
    assert "did not sign" in why
    assert first.decision_id not in why
