"""A denial by mistake: who takes it back, until when, and what nobody makes of it."""

import asyncio

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import TakeBackDenialRequest
from tests.faults import verified_log
from tests.parts import Placet, exporting, log
from tests.pdp.mongo import database, set_back
from tests.pdp.steps import brought_to, changes, erin, now, state_of
from tests.pdp.wire import refused

DENY, NEEDS = Effect.EFFECT_DENY, Effect.EFFECT_NEEDS_APPROVAL


async def denied(server: Placet, by: str = "bob") -> tuple[AuthorizeRequest, Approval]:
    request = exporting()
    return request, await server.review((await server.authorize(request)).approval, by, "DENY", "not this")


async def taken_back(server: Placet, held: Approval, by: str = "bob") -> Approval:
    request = TakeBackDenialRequest(approval_id=held.approval_id)
    answer = await server.reviews.TakeBackDenial(request, metadata=server.metadata(by))
    return answer.approval


async def refusal_of(server: Placet, held: Approval, by: object = "bob") -> str:
    request = TakeBackDenialRequest(approval_id=held.approval_id)
    metadata = server.metadata(by) if isinstance(by, str) else by
    return (await refused(server.reviews.TakeBackDenial(request, metadata=metadata))).reason


async def test_it_stays_denied_and_the_same_request_is_asked_anew(server: Placet) -> None:
    request, held = await denied(server)
    assert (await server.authorize(request)).effect == DENY
    after = await taken_back(server, held)
    assert (state_of(after), after.HasField("denied_until"), after.closed_by) == ("DENIED", False, "user:bob")
    again = await server.authorize(request)
    assert again.effect == NEEDS
    assert again.approval.approval_id != held.approval_id
    used = AuthorizeRequest()
    used.CopyFrom(request)
    used.approval_id = held.approval_id
    assert (await server.authorize(used)).effect == DENY, "the approval itself allows nothing"


async def test_it_is_recorded_with_a_signature_and_the_log_verifies(server: Placet) -> None:
    _, held = await denied(server)
    await taken_back(server, held)
    told = await log(server, "approval.denial_taken_back")
    (payload,) = [payload for record, payload in told if record["approval_id"] == held.approval_id]
    assert (payload["by"], payload["state"], payload["request_digest"]) == ("user:bob", "DENIED", held.request_digest)
    assert payload["signature"]
    await verified_log(server)


async def test_second_time_changes_nothing(server: Placet) -> None:
    _, held = await denied(server)
    first = await taken_back(server, held)
    assert await refusal_of(server, held) == "DENIAL_TAKEN_BACK"
    assert (await now(server, held)).version == first.version


async def test_denied_again_is_denied_although_the_first_denial_was_taken_back(server: Placet) -> None:
    request, held = await denied(server)
    await taken_back(server, held)
    await server.review((await server.authorize(request)).approval, "carol", "DENY", "still not")
    answer = await server.authorize(request)
    assert (answer.effect, [reason.rule for reason in answer.reasons]) == (DENY, ["pdp.recently_denied"])


async def test_only_whoever_denied_takes_it_back(server: Placet) -> None:
    request, held = await denied(server)
    assert await refusal_of(server, held, "carol") == "NOT_YOUR_DENIAL"
    assert await refusal_of(server, held, erin(server)) == "NOT_YOUR_DENIAL"
    assert await refusal_of(server, held, "alice") == "REVIEWER_IS_REQUESTER"
    assert await refusal_of(server, held, "report-bot") in {"ROLE_REQUIRED", "PERSON_REQUIRED"}
    assert (await server.authorize(request)).effect == DENY


@pytest.mark.parametrize("after", ["PENDING", "EXPIRED", "CANCELLED", "APPROVED", "REVOKED", "VOIDED", "CONSUMED"])
async def test_only_a_denial_is_taken_back(server: Placet, mongod: MongodProcess, after: str) -> None:
    _, held = await brought_to(server, mongod, after)
    assert await refusal_of(server, held) == "DENIAL_STANDS"


async def test_what_was_sent_back_is_no_denial(server: Placet) -> None:
    held = (await server.authorize(exporting())).approval
    await server.reviews.Review(changes(held), metadata=server.metadata("bob"))
    assert await refusal_of(server, held) == "DENIAL_STANDS"


async def test_after_the_time_it_is_too_late(server: Placet, mongod: MongodProcess) -> None:
    _, held = await denied(server)
    await set_back(mongod, server, held.approval_id, "closed_at", minutes=10)
    assert await refusal_of(server, held) == "DENIAL_STANDS"
    assert not (await now(server, held)).HasField("outcome")


async def test_what_somebody_writes_into_the_database_takes_nothing_back(server: Placet, mongod: MongodProcess) -> None:
    request, held = await denied(server)
    other, donor = await denied(server)
    await taken_back(server, donor)
    async with database(mongod, server) as found:
        given = await found["approvals"].find_one({"_id": donor.approval_id})
        assert given is not None
        signed = given["taken_back"]
        for planted in (signed, {**signed, "signature": ""}, {**signed, "by": "user:carol"}, {"by": 1}, "yes"):
            await found["approvals"].update_one({"_id": held.approval_id}, {"$set": {"taken_back": planted}})
            answer = await server.authorize(request)
            assert (answer.effect, [one.rule for one in answer.reasons]) == (DENY, ["pdp.recently_denied"])
        assert await refusal_of(server, held) == "APPROVAL_TAMPERED"
    assert (await server.authorize(other)).effect == NEEDS


async def test_two_at_once_and_an_ask_beside_them_open_one_approval(server: Placet) -> None:
    request, held = await denied(server)

    async def ask() -> str:
        return (await server.authorize(request)).approval.approval_id

    async def take() -> str:
        try:
            return (await taken_back(server, held)).approval_id
        except Exception as error:  # noqa: BLE001  # which refusal it is stands below
            return str(error)

    asked, first, second, third = await asyncio.gather(ask(), take(), take(), ask())
    assert [one for one in (first, second) if one == held.approval_id] == [held.approval_id]
    assert "was taken back" in first + second
    opened = {asked, third, await ask()} - {held.approval_id}
    assert len(opened) == 1, "one request waits once"
    kinds = [
        record["kind"]
        for record, _ in await log(server, "approval.denial_taken_back")
        if record["approval_id"] == held.approval_id
    ]
    assert kinds == ["approval.denial_taken_back"]


async def test_who_became_a_requester_principal_takes_nothing_back(server: Placet, mongod: MongodProcess) -> None:
    _, held = await denied(server)
    async with database(mongod, server) as found:
        await found["approvals"].update_one({"_id": held.approval_id}, {"$push": {"principals": "user:bob"}})
    assert await refusal_of(server, held) in {"REVIEWER_IS_REQUESTER", "APPROVAL_TAMPERED"}
