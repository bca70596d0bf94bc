"""What was open while Placet was updated is ended with a reason; what had ended stays readable and reportable."""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt

from pdp.process.mongod import MongodProcess
from pdp.recording.delivery import OLD_SEAL
from pdp.store import approval_document
from pdp.v1.approval_pb2 import Approval
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually
from tests.parts import Placet, exporting, log, placet
from tests.pdp.mongo import database, sealer
from tests.pdp.steps import now, report, state_of, use, verdict
from tests.pdp.wire import refused


async def aged(mongod: MongodProcess, server: Placet, approval: Approval) -> None:
    """Store the approval as the version before wrote it."""
    async with database(mongod, server) as found:
        condition = {"_id": approval.approval_id}
        document = await found["approvals"].find_one(condition) or {}
        old: dict[str, Any] = {name: value for name, value in document.items() if name != "sealed_at"}
        old["seal"] = first_seal(server, document)
        if "used_by" in old:
            old["used_by"] = {name: old["used_by"][name] for name in ("decision_id", "request_id")}
        old["requirements"] = [{name: one[name] for name in FIRST_MEMBERS} for one in old["requirements"]]
        await found["approvals"].replace_one(condition, old)


FIRST_MEMBERS = (
    "rule", "reason", "groups", "identities", "count", "pending_for_ms", "valid_for_ms", "claims", "individual",
)  # fmt: skip
"""What a requirement had then."""


def first_seal(server: Placet, document: dict[str, Any]) -> str:
    """The seal as it was made first."""
    whole = [asdict(one) for one in approval_document.from_document(document).requirements]
    requirements = [{name: one[name] for name in FIRST_MEMBERS} for one in whole]
    claims = {
        "iss": "dev",
        "approval": document["_id"],
        "digest": document["digest"],
        "caller": document["caller"],
        "principals": document["principals"],
        "supersedes": document["supersedes"],
        "requirements": sha256(orjson.dumps(requirements, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    }
    key = sealer(server).key
    return jwt.encode({"alg": "Ed25519", "typ": "placet-approval+jwt", "kid": key.kid}, claims, key, ["Ed25519"])


async def test_pending_one_is_ended_when_it_is_asked_again_and_another_opens(
    server: Placet, mongod: MongodProcess
) -> None:
    request = exporting()
    approval = (await server.authorize(request)).approval
    await aged(mongod, server, approval)
    again = await server.authorize(request)
    assert again.approval.approval_id != approval.approval_id
    ended = await now(server, approval)
    assert (state_of(ended), ended.close_reason) == ("CANCELLED", OLD_SEAL)


async def test_approved_one_is_voided_with_the_reason_and_recorded(server: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = await server.approved(request)
    await aged(mongod, server, approval)
    for _ in range(2):
        answer = await use(server, request, approval)
        assert (answer.effect, answer.reasons[0].rule) == (Effect.EFFECT_DENY, "pdp.approval_voided")
        assert OLD_SEAL in answer.reasons[0].reason
    closed = [held for record, held in await log(server, "approval.closed") if held["reason"] == OLD_SEAL]
    assert [held["state"] for held in closed][-1:] == ["VOIDED"]


async def test_pending_one_takes_no_review_any_more(server: Placet, mongod: MongodProcess) -> None:
    approval = (await server.authorize(exporting())).approval
    await aged(mongod, server, approval)
    why = await refused(verdict(server, approval, "APPROVE", server.metadata("bob")))
    assert why.reason in ("APPROVAL_NOT_PENDING", "APPROVAL_CHANGED")
    assert state_of(await now(server, approval)) == "CANCELLED"


@pytest.mark.parametrize("state_before", ["PENDING", "APPROVED"])
async def test_new_process_ends_what_nobody_asks_for(
    state: Path, server: Placet, mongod: MongodProcess, state_before: str
) -> None:
    is_pending = state_before == "PENDING"
    approval = (await server.authorize(exporting())).approval if is_pending else await server.approved(exporting())
    await aged(mongod, server, approval)

    async def ended() -> bool:
        return state_of(await now(server, approval)) in ("CANCELLED", "VOIDED")

    async with placet(state, mongod.uri, database=server.database):
        await eventually(ended)
    assert not [held for held, _ in await log(server, "error") if held.get("approval_id") == approval.approval_id]


async def test_used_one_still_takes_its_outcome_but_is_not_answered_again(
    server: Placet, mongod: MongodProcess
) -> None:
    request = exporting(requestId="used-before-the-update")
    approval = await server.approved(request)
    assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
    await aged(mongod, server, approval)
    assert (await server.authorize(request)).reasons[0].rule == "pdp.approval_consumed"
    await report(server, approval)


async def test_older_seal_counts_for_nothing_else(server: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = await server.approved(request)
    async with database(mongod, server) as found:
        document = await found["approvals"].find_one({"_id": approval.approval_id}) or {}
        update = {"$set": {"seal": first_seal(server, document)}}  # the newer fields stay
        await found["approvals"].update_one({"_id": approval.approval_id}, update)
    assert (await refused(use(server, request, approval))).reason == "APPROVAL_TAMPERED"
