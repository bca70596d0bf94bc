"""What `pdp mongo roles` prints is enough for a server, and no right in it can be left out without a word."""

import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pymongo import AsyncMongoClient

from pdp.arrow import table
from pdp.dev.stack import configuration
from pdp.errors import PdpError
from pdp.server.mongodb_check import mongodb
from pdp.server.observed import Level
from pdp.store import cause, replica_set
from pdp.store.database import Database
from pdp.store.inspection import Inspection, inspect
from pdp.store.roles import ROLE, commands
from pdp.v1 import mask_pb2
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.mask_job_pb2 import StartMaskJobRequest
from pdp.v1.request_pb2 import Effect
from tests.e2e.test_lineage_decisions import said
from tests.mask_jobs import Stage
from tests.masks import arrow, masking, scope
from tests.parts import asking, exporting, log
from tests.pdp.openlineage import MART, dataset, run
from tests.pdp.store.test_cause import Mongod, started

NAME = "placet"


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mongod]:
    """A replica set that lets nobody in without a password, with the user that the command names."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "key").write_text("akeyofthisset" * 4)
    (folder / "key").chmod(0o600)
    async with started(folder / "data", "--keyFile", f"{folder / 'key'}") as mongod:
        own = f"mongodb://localhost:{mongod.port}/?directConnection=true&serverMonitoringMode=poll"
        await replica_set.initiate(f"localhost:{mongod.port}", own)
        async with AsyncMongoClient(own) as first:
            await first.admin.command("createUser", "root", pwd="root", roles=["root"])  # noqa: S106
        async with AsyncMongoClient(mongod.uri("root", "authSource=admin")) as root:
            role, user = commands(NAME, "server")
            await root.get_database(NAME).command(role)
            await root.get_database(NAME).command({**user, "pwd": "server"})
        yield mongod
    gc.collect()


async def allowed(mongod: Mongod, actions: list[str]) -> Inspection:
    """What the doctor sees of a user that may do this alone."""
    privilege = {"resource": {"db": NAME, "collection": ""}, "actions": actions}
    async with AsyncMongoClient(mongod.uri("root", "authSource=admin")) as root:
        await root.get_database(NAME).command("updateRole", ROLE, privileges=[privilege])
    return await inspect(mongod.uri("server"), NAME, "dev")


@pytest.mark.timeout(180)
async def test_a_server_does_all_its_work_with_the_role_that_is_printed(
    guarded: Mongod, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with masking(state, guarded.uri("server"), database=NAME) as server:
        assert (await server.authorize(asking())).effect == Effect.EFFECT_ALLOW
        request = exporting()
        approval = await server.approved(request)
        assert approval.state == ApprovalState.APPROVAL_STATE_APPROVED
        request.approval_id = approval.approval_id
        assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
        wanted = mask_pb2.MaskRequest(scope=scope(), data=arrow({"surname": ["Smith"], "rec_id": ["r1"]}))
        assert (await server.masks.Mask(wanted, metadata=server.metadata("report-bot"))).rows == 1
        await _job(Stage(server, state))
        assert await said(server, run(outputs=[dataset(MART)])) > 0
        assert {record["kind"] for record, _ in await log(server)} >= {"decision", "mask"}
    told = [f"{record.name}: {record.getMessage()}" for record in caplog.records]
    assert not [line for line in told if "later" in line or "may not" in line]
    found = await inspect(guarded.uri("server"), NAME, "dev")
    assert (found.rights, found.schema, found.unhelped, found.lacking, found.differing) == ("", "", [], [], [])


async def _job(stage: Stage) -> None:
    """A mask job from its beginning to its end."""
    table_schema = pa.schema([("rec_id", pa.string())])
    asked = StartMaskJobRequest(scope=scope(), arrow_schema=table.schema_bytes(table_schema))
    begun = await stage.start(asked)
    batch = pa.record_batch({"rec_id": ["r1"]}, schema=table_schema)
    await stage.part(begun.ticket, 0, batch, schema=table_schema)
    job = await stage.finish(begun.job_id, [(0, 0, 1)])
    assert (job.parts, (await stage.get(begun.job_id)).rows) == (1, 1)


@pytest.mark.timeout(120)
async def test_each_right_that_is_taken_away_is_named(guarded: Mongod) -> None:
    role: dict[str, Any] = commands(NAME, "server")[0]
    [privilege] = role["privileges"]
    for right in privilege["actions"]:
        found = await allowed(guarded, [other for other in privilege["actions"] if other != right])
        if right in cause.NEEDED:
            assert found.rights == cause.rights_sentence([right], NAME)
            with pytest.raises(PdpError, match=right):
                await Database.open(guarded.uri("server"), NAME)
        else:
            assert (found.rights, found.unhelped) == ("", [right])
            await (await Database.open(guarded.uri("server"), NAME)).close()


async def test_the_doctor_says_a_wrong_password_and_a_missing_right_without_the_password(
    guarded: Mongod, state: Path
) -> None:
    async def told(uri: str) -> tuple[str, str]:
        config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=uri)
        lines = [one for one in await mongodb(config) if one.level is Level.WRONG]
        assert "hunter2" not in str(lines)
        [line] = lines
        return line.what, line.sentence

    await allowed(guarded, ["find"])
    assert await told(guarded.uri().replace("//", "//server:hunter2@")) == ("MongoDB", cause._BY_CODE[18])
    what, sentence = await told(guarded.uri("server"))
    assert (what, "lacks insert, update" in sentence, "pdp mongo roles" in sentence) == ("MongoDB's rights", True, True)
    _, sentence = await told(guarded.uri())
    assert "lets nobody in without a user" in sentence
