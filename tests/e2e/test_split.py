"""A deployment whose one key signed seals and grants stops, splits it and goes on: with everything that was open."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import OKPKey

from pdp import jws, keys
from pdp.audit import event
from pdp.client import verify_grant
from pdp.process.mongod import MongodProcess
from pdp.seal import Sealer
from pdp.store.approvals import Approvals
from pdp.store.database import Database
from pdp.v1.approval_pb2 import Approval, Verdict
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.info_pb2 import GetServerInfoRequest, GetServerInfoResponse
from pdp.v1.request_pb2 import Effect
from tests.cli.terminal import Terminal
from tests.faults import eventually
from tests.parts import Placet, exporting, log, placet
from tests.pdp.mongo import database
from tests.pdp.specimens import BOT, REQUEST, T0, opening, verdict
from tests.pdp.steps import asked, brought_to, changes, report, state_of, use
from tests.pdp.steps import now as shown

STATES = ("PENDING", "APPROVED", "CONSUMED", "DENIED", "EXPIRED", "VOIDED", "CANCELLED", "REVOKED")
NAMES = {"realm": "iss", "approval_id": "approval", "request_digest": "digest"}
Document = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """The deployment after it, what it had before, and the key of before."""

    server: Placet
    before: Mapping[str, tuple[AuthorizeRequest, Approval]]
    undelivered: str
    key: OKPKey

    async def info(self) -> GetServerInfoResponse:
        return await self.server.info.GetServerInfo(GetServerInfoRequest(), metadata=self.server.metadata("report-bot"))

    async def require_grant(self, answer: AuthorizeResponse) -> None:
        """The new key signed it, and a program that sees the server's keys accepts it."""
        info = await self.info()
        about = {"caller": info.caller.identity, "digest": answer.request_digest, "realm": info.realm}
        assert verify_grant(answer.grant, info.jwks, **about)["jti"] == answer.decision_id


def as_before(document: Document, key: OKPKey) -> Document:
    """The document as it was signed while the key of the grants signed it."""

    def signature(text: str) -> str:
        claims = {NAMES.get(name, name): value for name, value in jws.claims(text, key).items()}
        version = {"seal": 2} if "seal" in claims else {}
        return jws.signed(jws.header(text)["typ"], {**claims, **version}, key, "Ed25519")

    def signed(one: Document) -> Document:
        return {**one, "signature": signature(one["signature"])}

    lists = {name: [signed(one) for one in document[name]] for name in ("reviews", "outbox")}
    used = {"used_by": signed(document["used_by"])} if document.get("used_by") else {}
    return {**document, **lists, **used, "seal": signature(document["seal"])}


async def undelivered(store: Database, sealer: Sealer) -> str:
    """An approval that a server opened just before it was killed: its records are in its outbox alone."""
    held = opening(id=f"apr_{uuid4().hex}", caller="agent:killed", sealed_at=T0)
    record = event.approval_created(held, BOT, REQUEST, verdict())
    sealed = opening(id=held.id, caller=held.caller, sealed_at=T0, seal=sealer.frozen(held))
    assert await Approvals(store, sealer).open(sealed, "", [record])
    return record.id


@pytest.fixture(scope="module")
async def split(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> Any:
    state, name = tmp_path_factory.mktemp("split"), f"t{uuid4().hex[:16]}"
    folder = state / "keys"
    async with placet(state, mongod.uri, database=name) as server:
        before = {one: await brought_to(server, mongod, one) for one in STATES}
        request = exporting()
        back = (await server.authorize(request)).approval
        sent = changes(back, suggestion=asked(exporting()), expected_version=back.version)
        before["sent back"] = request, (await server.reviews.Review(sent, metadata=server.metadata("bob"))).approval
    (folder / "seal.jwk").replace(folder / "grant.jwk")  # the one key of before
    key = keys.private_key(folder / "grant.jwk")
    async with AsyncExitStack() as stack:
        store = await Database.open(mongod.uri, name)
        stack.push_async_callback(store.close)
        missing = await undelivered(store, Sealer(key, "dev"))
        approvals = (await stack.enter_async_context(database(mongod, server)))["approvals"]
        async for document in approvals.find():
            await approvals.replace_one({"_id": document["_id"]}, as_before(document, key))
    keys.split(folder)
    async with placet(state, mongod.uri, database=name) as server:
        yield Split(server, before, missing, key)


async def test_what_was_pending_is_reviewed_and_used(split: Split) -> None:
    request, approval = split.before["PENDING"]
    reviewed = await split.server.review(approval, "carol")
    assert state_of(reviewed) == "APPROVED"
    answer = await use(split.server, request, approval)
    assert answer.effect == Effect.EFFECT_ALLOW
    await split.require_grant(answer)


async def test_what_was_approved_is_used(split: Split) -> None:
    answer = await use(split.server, *split.before["APPROVED"])
    assert answer.effect == Effect.EFFECT_ALLOW
    await split.require_grant(answer)


async def test_what_was_used_takes_its_outcome_and_no_second_use(split: Split) -> None:
    request, approval = split.before["CONSUMED"]
    assert [reason.rule for reason in (await use(split.server, request, approval)).reasons] == ["pdp.approval_consumed"]
    await report(split.server, approval)
    assert (await shown(split.server, approval)).HasField("outcome")


@pytest.mark.parametrize("state", ["DENIED", "EXPIRED", "VOIDED", "CANCELLED", "REVOKED", "sent back"])
async def test_what_had_ended_has_ended_as_it_did(split: Split, state: str) -> None:
    request, approval = split.before[state]
    answer = await use(split.server, request, approval)
    assert answer.effect == Effect.EFFECT_DENY
    assert "did not sign" not in answer.reasons[0].reason
    assert state_of(await shown(split.server, approval)) == ("DENIED" if state == "sent back" else state)


async def test_what_was_sent_back_is_superseded(split: Split) -> None:
    _, approval = split.before["sent back"]
    assert approval.reviews[0].verdict == Verdict.VERDICT_CHANGES_REQUESTED
    again = await split.server.authorize(exporting(supersedes=approval.approval_id))
    assert again.approval.supersedes == approval.approval_id


async def test_record_that_was_not_delivered_comes_into_the_log(split: Split) -> None:
    async def is_recorded() -> bool:
        return split.undelivered in [record["id"] for record, _ in await log(split.server, "approval.created")]

    await eventually(is_recorded)


async def test_nothing_is_taken_for_forged_and_the_log_is_whole(split: Split, tmp_path: Path) -> None:
    assert [record for record, _ in await log(split.server, "error")] == []
    pdp = Terminal(tmp_path, {"PDP_ADDRESS": split.server.address, "PDP_STATE": str(split.server.state)})
    assert (await pdp("audit", "verify", "--as", "dana")).status == 0


async def test_key_of_before_is_published_for_auditors_alone(split: Split) -> None:
    info = await split.info()
    published = [
        {key["kid"]: key["placet_use"] for key in json.loads(one)["keys"]} for one in (info.jwks, info.audit_jwks)
    ]
    assert split.key.thumbprint() not in published[0]
    assert published[1][split.key.thumbprint()] == "seal"
