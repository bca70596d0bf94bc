"""A use that is asked for again is answered as it was recorded, also if the policy has changed since."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually
from tests.parts import Placet, exporting, placet
from tests.pdp.mongo import database
from tests.pdp.wire import refused

NOTICE = """package policy

# METADATA
# title: Whoever exports tells the owner
obligation contains {"rule": "notice", "reason": "the owner asks", "type": "notice", "properties": {"days": %d}}
"""


def policy(tmp_path: Path) -> Path:
    """The reference policy with a duty; the owner of `agent:dev` comes from the dev stack's own data."""
    folder = tmp_path / "policy"
    shutil.copytree(rego(), folder, ignore=shutil.ignore_patterns("*_test.rego"))
    data = json.loads((folder / "data.json").read_text())
    del data["identities"]["agent:dev"]
    (folder / "data.json").write_text(json.dumps(data))
    (folder / "notice.rego").write_text(NOTICE % 1)
    return folder


async def revision(server: Placet) -> str:
    return (await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("alice"))).policy_revision


async def test_repeated_answer_has_the_obligations_and_the_revision_of_the_use(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    folder = policy(tmp_path)
    async with placet(state, mongod.uri, policy=[folder]) as server:
        request = exporting(requestId=uuid4().hex)
        await server.approved(request)
        used, before = await server.authorize(request), await revision(server)
        assert {one.type for one in used.obligations} >= {"notice"}
        (folder / "notice.rego").write_text(NOTICE % 2)

        async def reloaded() -> bool:
            return await revision(server) != before

        await eventually(reloaded)
        again = await server.authorize(request)
        assert (again.effect, again.decision_id, again.grant) == (used.effect, used.decision_id, used.grant)
        assert (again.obligations, again.reasons) == (used.obligations, used.reasons)
        assert again.policy_revision == used.policy_revision == before


async def test_use_whose_record_is_gone_is_not_answered_again(server: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = await server.approved(request)
    assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
    async with database(mongod, server) as found:
        await found["approvals"].update_one({"_id": approval.approval_id}, {"$set": {"outbox": []}})
        await found["batches"].update_many({}, {"$set": {"payloads": []}})
    assert (await refused(server.authorize(request))).reason == "APPROVAL_TAMPERED"
