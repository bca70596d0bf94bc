"""A yes that a passkey signs, over the wire: what counts, what does not, and what the log says of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp import keys
from pdp.audit.verify import Tampered, Verifier
from pdp.credential import Made, Party, made
from pdp.passkey import Passkey
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.audit_pb2 import ExportRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.person_pb2 import ListPasskeysRequest, RemovePasskeyRequest
from pdp.v1.request_pb2 import Effect
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.passkeys import Passkeys
from tests.authenticator import UP, Authenticator, b64
from tests.parts import Placet, Refusal, asking, log, placet, refusal
from tests.pdp.mongo import database
from tests.pdp.passkeys import added, adding, begun, device_of, registered, signed_review
from tests.pdp.steps import now, state_of, use, verdict

RULES = """package policy

needs_approval contains {
	"rule": "signed",
	"reason": "sign it",
	"reviewers": {"groups": ["readers"]},
	"passkey": true,
} if input.action.name == "pay"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
}


@dataclass
class Stage:
    """A server whose policy wants passkeys, another process of it, and bob's phone."""

    server: Placet
    passkeys: Passkeys
    keyrings: Keyrings
    phone: Authenticator


@pytest.fixture
async def stage(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[Stage]:
    folder = tmp_path / "signed"
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with (
        placet(state, mongod.uri, policy=[folder]) as server,
        adding(server, mongod) as (passkeys, keyrings),
    ):
        phone = device_of(server)
        await added(passkeys, keyrings, phone, "user:bob")
        yield Stage(server, passkeys, keyrings, phone)


def paying() -> AuthorizeRequest:
    return asking("pay", context={"run": uuid4().hex})


async def opened(stage: Stage) -> Approval:
    return (await stage.server.authorize(paying())).approval


async def failed(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return refusal(error.value)


async def is_intact(server: Placet) -> None:
    """Verify the log as it is exported."""
    key = keys.private_key(server.state / "keys" / "audit.jwk")
    verifier = Verifier("dev", keys.signing(key).public_key(), key.thumbprint())
    async for answer in server.audit.ExportRecords(ExportRecordsRequest(), metadata=server.metadata("dana")):
        for batch in answer.batches:
            verifier.add(batch)
    verifier.finish()


async def test_signed_yes_counts_is_used_and_holds_by_the_log_alone(stage: Stage) -> None:
    request = paying()
    approval = (await stage.server.authorize(request)).approval
    asked = await begun(stage.server, approval, "bob")
    assert list(asked.credential_ids) == [stage.phone.id]
    assert json.loads(asked.statement)["nonce"] == asked.nonce
    approved = await signed_review(stage.server, approval, "bob", stage.phone, asked.statement)
    assert state_of(approved) == "APPROVED"
    shown = approved.reviews[0].passkey
    assert (shown.credential_id, shown.statement) == (stage.phone.id, asked.statement)
    assert (await use(stage.server, request, approved)).effect == Effect.EFFECT_ALLOW
    [(_, reviewed)] = await log(stage.server, "approval.reviewed")
    assert reviewed["passkey"]["statement"] == asked.statement
    await is_intact(stage.server)


async def test_yes_without_is_refused_with_the_address_of_the_page_and_a_no_counts(stage: Stage) -> None:
    approval = await opened(stage)
    why = await failed(stage.server.review(approval, "bob"))
    page = f"{stage.server.http}/inbox/approvals/{approval.approval_id}"
    assert (why.code, why.reason, why.metadata["page"]) == ("FAILED_PRECONDITION", "PASSKEY_REQUIRED", page)
    await verdict(stage.server, approval, "DENY", stage.server.metadata("bob"))
    assert state_of(await now(stage.server, approval)) == "DENIED"


@pytest.mark.parametrize(
    ("signing", "sent"),
    [
        ({"verdict": "DENY"}, {}),
        ({"reason": "another"}, {}),
        ({}, {"flags": UP}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"type": "webauthn.create"}),
    ],
    ids=["other verdict", "other reason", "no user verification", "other origin", "other kind"],
)
async def test_signature_of_something_else_is_refused(
    stage: Stage, signing: dict[str, Any], sent: dict[str, Any]
) -> None:
    approval = await opened(stage)
    asked = await begun(stage.server, approval, "bob", **signing)
    why = await failed(signed_review(stage.server, approval, "bob", stage.phone, asked.statement, **sent))
    assert (why.code, why.reason) == ("FAILED_PRECONDITION", "PASSKEY_INVALID")
    assert not (await now(stage.server, approval)).reviews


async def test_signature_of_another_approval_person_or_key_is_refused(stage: Stage) -> None:
    approval, other = await opened(stage), await opened(stage)
    foreign = await begun(stage.server, other, "bob")
    carols = await begun(stage.server, approval, "carol")
    mine = await begun(stage.server, approval, "bob")
    impostor, stranger = device_of(stage.server, id=stage.phone.id), device_of(stage.server)
    await added(stage.passkeys, stage.keyrings, stranger, "user:carol")
    for device, statement in [
        (stage.phone, foreign.statement),
        (stage.phone, carols.statement),
        (impostor, mine.statement),
        (stranger, (await begun(stage.server, approval, "bob")).statement),
    ]:
        why = await failed(signed_review(stage.server, approval, "bob", device, statement))
        assert why.reason == "PASSKEY_INVALID"
    assert not (await now(stage.server, approval)).reviews


async def test_nonce_counts_once_and_is_the_servers(stage: Stage) -> None:
    approval = await opened(stage)
    asked = await begun(stage.server, approval, "bob")
    made_up = asked.statement.replace(asked.nonce, "A" * 43)
    assert (
        await failed(signed_review(stage.server, approval, "bob", stage.phone, made_up))
    ).reason == "PASSKEY_INVALID"
    refused_once = signed_review(stage.server, approval, "bob", stage.phone, asked.statement, flags=UP)
    assert (await failed(refused_once)).reason == "PASSKEY_INVALID"
    again = signed_review(stage.server, approval, "bob", stage.phone, asked.statement)
    assert (await failed(again)).reason == "PASSKEY_INVALID"


async def test_of_one_signature_sent_twice_at_once_one_counts(stage: Stage) -> None:
    approval = await opened(stage)
    asked = await begun(stage.server, approval, "bob")
    sent = [signed_review(stage.server, approval, "bob", stage.phone, asked.statement) for _ in range(3)]
    done = await asyncio.gather(*sent, return_exceptions=True)
    assert len([one for one in done if isinstance(one, Approval)]) == 1
    assert len((await now(stage.server, approval)).reviews) == 1


async def test_passkey_that_was_added_a_moment_ago_does_not_count(stage: Stage, mongod: MongodProcess) -> None:
    approval, new = await opened(stage), device_of(stage.server)
    async with adding(stage.server, mongod, timedelta(hours=1)) as (waiting, keyrings):
        await added(waiting, keyrings, new, "user:bob")
    asked = await begun(stage.server, approval, "bob")
    why = await failed(signed_review(stage.server, approval, "bob", new, asked.statement))
    assert (why.reason, why.metadata["page"].startswith(stage.server.http)) == ("PASSKEY_TOO_NEW", True)


async def test_removed_passkey_signs_no_more(stage: Stage) -> None:
    approval, bob = await opened(stage), stage.server.metadata("bob")
    [held] = (await stage.server.person.ListPasskeys(ListPasskeysRequest(), metadata=bob)).passkeys
    assert held.credential_id == stage.phone.id
    asked = await begun(stage.server, approval, "bob")
    request = RemovePasskeyRequest(credential_id=held.credential_id)
    why = await failed(stage.server.person.RemovePasskey(request, metadata=stage.server.metadata("carol")))
    assert (why.code, why.reason) == ("NOT_FOUND", "PASSKEY_NOT_FOUND")
    await stage.server.person.RemovePasskey(request, metadata=bob)
    assert (await failed(signed_review(stage.server, approval, "bob", stage.phone, asked.statement))).reason == (
        "PASSKEY_INVALID"
    )
    await is_intact(stage.server)


async def test_passkey_forged_in_the_database_is_refused(stage: Stage, mongod: MongodProcess) -> None:
    """Somebody who writes to the database puts his own key in the place of bob's."""
    approval, forger = await opened(stage), device_of(stage.server)
    asked = await begun(stage.server, approval, "bob")
    async with database(mongod, stage.server) as found:
        await found["passkeys"].update_one({"_id": "user:bob"}, {"$set": {"held.0.id": b64(forger.id)}})
    why = await failed(signed_review(stage.server, approval, "bob", forger, asked.statement))
    assert why.reason == "PASSKEY_INVALID"
    assert [record["error"] for record, _ in await log(stage.server, "error")] == ["PASSKEY_TAMPERED"]


async def test_passkey_that_the_key_seal_made_counts_here_and_is_named_by_the_log(stage: Stage) -> None:
    """Somebody who has the key writes a passkey of his own for bob; the log knows of none that was added."""
    request, forger = paying(), device_of(stage.server)
    approval = (await stage.server.authorize(request)).approval
    new = made(registered(forger.create(b"a" * 32)), Party("localhost", stage.server.http), b"a" * 32)
    held, now_there = await stage.keyrings.of("user:bob"), await stage.keyrings.now()
    members = {name: getattr(new, name) for name in Made.__dataclass_fields__}
    forged = Passkey(**members, added_at=now_there, counts_from=now_there)
    assert await stage.keyrings.replace(held, held.with_one(forged))
    asked = await begun(stage.server, approval, "bob")
    approved = await signed_review(stage.server, approval, "bob", forger, asked.statement)
    assert state_of(approved) == "APPROVED"
    with pytest.raises(Tampered) as named:
        await is_intact(stage.server)
    [(record, _)] = await log(stage.server, "approval.reviewed")
    assert named.value.kind == "passkey"
    assert named.value.place.endswith(f" ({record['id']} ({approval.approval_id}))")


async def test_changed_signature_in_the_database_is_refused_at_the_use(stage: Stage, mongod: MongodProcess) -> None:
    request = paying()
    approval = (await stage.server.authorize(request)).approval
    asked = await begun(stage.server, approval, "bob")
    approved = await signed_review(stage.server, approval, "bob", stage.phone, asked.statement)
    async with database(mongod, stage.server) as found:
        await found["approvals"].update_one({}, {"$set": {"reviews.0.passkey.signature": "x"}})
    assert not (await now(stage.server, approval)).reviews[0].HasField("passkey")
    why = await failed(use(stage.server, request, approved))
    assert why.reason == "APPROVAL_TAMPERED"


async def test_suggestion_is_signed_by_none(stage: Stage) -> None:
    why = await failed(begun(stage.server, await opened(stage), "bob", verdict="CHANGES_REQUESTED"))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("verdict",))


async def test_what_would_be_refused_is_refused_before_it_is_signed(stage: Stage) -> None:
    approval = await opened(stage)
    await verdict(stage.server, approval, "DENY", stage.server.metadata("carol"))
    assert (await failed(begun(stage.server, approval, "bob"))).reason == "APPROVAL_NOT_PENDING"
