"""What a database administrator writes into approvals behind the servers' back gives nobody anything."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.process.mongod import MongodProcess
from pdp.seal import Sealer
from pdp.store import approval_document
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, exporting, log, placet
from tests.pdp.mongo import database, sealer
from tests.pdp.steps import erin, now, state_of, use, verdict
from tests.pdp.wire import refused

Document = dict[str, Any]
Forgery = Callable[[Document, Document], Document]


async def rewritten(mongod: MongodProcess, server: Placet, approval: Approval, forge: Forgery, other: Approval) -> None:
    """Replace the approval's document by what `forge` makes of it and of another approval's."""
    async with database(mongod, server) as found:
        approvals = found["approvals"]
        mine = await approvals.find_one({"_id": approval.approval_id}) or {}
        theirs = await approvals.find_one({"_id": other.approval_id}) or {}
        await approvals.replace_one({"_id": approval.approval_id}, {**forge(mine, theirs), "_id": approval.approval_id})


def changed_review(**changes: Any) -> Forgery:
    return lambda mine, _: {**mine, "reviews": [mine["reviews"][0] | changes, *mine["reviews"][1:]]}


def with_own_key(mine: Document, _: Document) -> Document:
    """Signed, but by a key that is not the deployment's."""
    forger, held = Sealer(OKPKey.generate_key("Ed25519", auto_kid=True), "dev"), approval_document.from_document(mine)
    reviews = [replace(one, signature=forger.review(held.id, held.digest, one)) for one in held.reviews]
    return {**mine, "reviews": [approval_document.of_review(one) for one in reviews]}


def without(mine: Document, *names: str) -> Document:
    return {name: value for name, value in mine.items() if name not in names}


FORGERIES: dict[str, Forgery] = {
    "a document without a signature": lambda mine, _: without(mine, "seal"),
    "another approval's document": lambda _, theirs: theirs,
    "another approval's seal": lambda mine, theirs: {**mine, "seal": theirs["seal"]},
    "another request": lambda mine, theirs: {**mine, "request": theirs["request"]},
    "principals fewer": lambda mine, _: {**mine, "principals": mine["principals"][:1]},
    "principals in another order": lambda mine, _: {**mine, "principals": mine["principals"][::-1]},
    "another predecessor": lambda mine, theirs: {**mine, "supersedes": theirs["_id"]},
    "valid for longer": lambda mine, _: {**mine, "requirements": [mine["requirements"][0] | {"valid_for_ms": 10**9}]},
    "count lowered": lambda mine, _: {**mine, "requirements": [mine["requirements"][0] | {"count": 1}]},
    "another approval's reviews": lambda mine, theirs: {**mine, "reviews": theirs["reviews"]},
    "one review of another approval": lambda mine, theirs: {
        **mine, "reviews": [mine["reviews"][0], theirs["reviews"][1]]
    },
    "reviewer": changed_review(reviewer="user:erin"),
    "person": changed_review(person="user:erin"),
    "groups": changed_review(groups=["data-stewards", "admins"]),
    "verdict": changed_review(verdict="DENY"),
    "reason": changed_review(reason="no"),
    "requirements that it counts in": changed_review(fits=[]),
    "policy revision": changed_review(policy_revision="x"),
    "suggestion": changed_review(suggestion=b"{}"),
    "channel": changed_review(channel="web"),
    "account": changed_review(account="slack:T1/U1"),
    "what was rendered": changed_review(view_digest="v"),
    "a passkey": changed_review(
        passkey=dict.fromkeys(["credential_id", "statement", "authenticator_data", "client_data", "signature"], "x")
    ),
    "no signature": changed_review(signature=""),
    "signed by another key": with_own_key,
}  # fmt: skip
STATES: dict[str, Forgery] = {
    "no review at all": lambda mine, _: {**mine, "reviews": []},
    "too few reviews": lambda mine, _: {**mine, "reviews": mine["reviews"][:1]},
    "one review twice": lambda mine, _: {**mine, "reviews": mine["reviews"][:1] * 2},
    "approved long after its reviews": lambda mine, _: {
        **mine,
        "approved_at": mine["approved_at"] + timedelta(hours=1),
    },
    "used before": lambda mine, _: {**mine, "used_by": {"decision_id": "dec_1", "request_id": ""}},
    "closed before": lambda mine, _: {**mine, "closed_at": mine["approved_at"]},
}


async def alarmed(server: Placet, approval: Approval, call: Awaitable[Any]) -> None:
    """The call is refused, and there is a record of it."""
    why = await refused(call)
    assert (why.code, why.reason) == ("FAILED_PRECONDITION", "APPROVAL_TAMPERED")
    errors = [held for held, _ in await log(server, "error") if held.get("approval_id") == approval.approval_id]
    assert [held["error"] for held in errors] == ["APPROVAL_TAMPERED"]


async def two(server: Placet) -> tuple[AuthorizeRequest, Approval, Approval]:
    request = exporting()
    return request, await server.approved(request), await server.approved(exporting())


@pytest.mark.parametrize("name", [*FORGERIES, *STATES])
async def test_forged_approval_is_not_used(
    server: Placet, mongod: MongodProcess, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    request, approval, other = await two(server)
    await rewritten(mongod, server, approval, {**FORGERIES, **STATES}[name], other)
    if name == "another approval's document":  # its digest is another, so nothing but the mismatch is looked at
        answer = await use(server, request, approval)
        assert [reason.rule for reason in answer.reasons] == ["pdp.approval_mismatch"]
        return
    await alarmed(server, approval, use(server, request, approval))
    assert [one.levelname for one in caplog.records if approval.approval_id in one.getMessage()] == ["ERROR"]


async def test_copy_of_an_approval_under_another_id_is_not_used(server: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = await server.approved(request)
    assert (await use(server, request, approval)).effect == Effect.EFFECT_ALLOW
    copied = Approval(approval_id=f"apr_{7:032x}")
    async with database(mongod, server) as found:
        held = await found["approvals"].find_one({"_id": approval.approval_id}) or {}
        unused = without(held, "used_by", "closed_at", "request_ids")
        await found["approvals"].insert_one({**unused, "_id": copied.approval_id, "state": "APPROVED"})
    await alarmed(server, copied, use(server, request, copied))


async def test_forged_use_gives_no_grant(server: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId="forged-use")
    approval = (await server.authorize(request)).approval
    async with database(mongod, server) as found:
        used_by = {
            "decision_id": "dec_" + "0" * 32,
            "request_id": "forged-use",
            "attempt_id": request.attempt_id,
        }
        update = {"$set": {"state": "CONSUMED", "used_by": used_by}, "$currentDate": {"closed_at": True}}
        await found["approvals"].update_one({"_id": approval.approval_id}, update)
    await alarmed(server, approval, server.authorize(request))


@pytest.mark.parametrize("name", ["principals fewer", "count lowered", "verdict", "signed by another key"])
async def test_forged_approval_takes_no_review(server: Placet, mongod: MongodProcess, name: str) -> None:
    first, second = [(await server.authorize(exporting())).approval for _ in range(2)]
    for one in (first, second):
        await server.review(one, "bob")
    await rewritten(mongod, server, first, FORGERIES[name], second)
    await alarmed(server, first, verdict(server, first, "APPROVE", erin(server)))
    assert state_of(await now(server, first)) == "PENDING"


async def test_forged_approval_is_superseded_by_none(server: Placet, mongod: MongodProcess) -> None:
    approval = (await server.authorize(exporting())).approval
    back = (await verdict(server, approval, "CHANGES_REQUESTED", server.metadata("bob"))).approval
    forge: Forgery = changed_review(person="user:nobody")
    await rewritten(mongod, server, back, forge, back)
    await alarmed(server, back, server.authorize(exporting(supersedes=back.approval_id)))


async def test_signature_of_a_review_is_the_auditors_alone_and_holds_offline(server: Placet) -> None:
    approval = await server.approved(exporting())
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("dana"))
    [member] = [member for member in json.loads(info.audit_jwks)["keys"] if member["placet_use"] == "seal"]
    recorded = [held for record, held in await log(server, "approval.reviewed") if held["signature"]]
    mine = [held for held in recorded if held["request_digest"] == approval.request_digest]
    for review, held in zip(approval.reviews, mine, strict=True):
        claims = jws.claims(held["signature"], OKPKey.import_key(member))
        assert jws.header(held["signature"]) == {"typ": "placet-review+jwt", "alg": "EdDSA", "kid": member["kid"]}
        assert claims["approval_id"] == approval.approval_id
        assert claims["request_digest"] == approval.request_digest
        assert (claims["reviewer"], claims["verdict"]) == (review.reviewer, "APPROVE")
        assert claims["at"] == review.reviewed_at.ToDatetime().isoformat(timespec="milliseconds") + "+00:00"
        assert review.policy_revision == approval.policy_revision
        assert review.signature == ""


@pytest.mark.parametrize("name", ["report-bot", "alice", "bob"])
async def test_no_signature_of_a_review_leaves(server: Placet, name: str) -> None:
    request = exporting()
    approval = await server.approved(request)
    asking = GetApprovalRequest(approval_id=approval.approval_id)
    shown = (await server.approvals.GetApproval(asking, metadata=server.metadata(name))).approval
    used = (await use(server, request, approval)).approval
    assert [review.reviewer for review in shown.reviews] == ["user:bob", "user:carol"]
    assert not any(review.signature for held in (approval, shown, used) for review in held.reviews)


async def test_other_process_with_the_same_key_takes_it(state: Path, mongod: MongodProcess, server: Placet) -> None:
    request = exporting()
    approval = await server.approved(request)
    async with placet(state, mongod.uri, database=server.database) as another:
        assert (await use(another, request, approval)).effect == Effect.EFFECT_ALLOW


async def test_signatures_hold_in_their_realm_only(server: Placet, mongod: MongodProcess) -> None:
    approval = await server.approved(exporting())
    async with database(mongod, server) as found:
        held = approval_document.from_document(await found["approvals"].find_one({"_id": approval.approval_id}) or {})
    assert sealer(server).fault(held) == ""
    elsewhere = Sealer(sealer(server).key, "another-realm")
    assert elsewhere.fault(held)
