"""A stored job is read as what began: the same question by the same caller, and the same plan."""

from dataclasses import replace

import orjson
import pytest

from pdp import keys
from pdp.errors import MaskPlanRefused
from pdp.mask_job import JobSealer
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.held_job import HeldJob
from tests.mask_jobs import Stage, request
from tests.parts import log


async def held(stage: Stage, mongod: MongodProcess, job_id: str) -> HeldJob:
    database = await Database.open(mongod.uri, stage.server.database)
    try:
        sealer = JobSealer(keys.private_key(stage.server.state / "keys" / "seal.jwk"), "dev")
        return HeldJob(await StoredMaskJobs(database, sealer).get(job_id))
    finally:
        await database.close()


async def test_question_caller_and_plan_are_those_of_the_beginning(stage: Stage, mongod: MongodProcess) -> None:
    asked = request(destination="s3://share/x")
    begun = await stage.start(asked)
    job = await held(stage, mongod, begun.job_id)
    [decided] = [
        payload
        for record, payload in await log(stage.server, "decision")
        if record["id"][4:] == begun.decision.decision_id[4:]
    ]
    ask = job.ask()
    assert orjson.loads(ask.canonical.json) == decided["request"]
    assert ask.canonical.digest == decided["request_digest"]
    assert orjson.loads(ask.caller.json) == decided["caller"]
    assert isinstance(ask.request, AuthorizeRequest)
    assert ask.request.resource.id == "people"
    assert job.plan.sha256() == begun.plan_sha256
    assert job.shape.schema.names == ["id", "note"]
    assert (job.facts["destination"], job.facts["people"]) == ("s3://share/x", ["agent:report-bot", "user:alice"])


async def test_plan_of_a_job_is_kept_without_domains_that_it_does_not_use(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    job = await held(stage, mongod, begun.job_id)
    assert list(orjson.loads(job.facts["plan"])["domains"]) == ["person.id"]


async def test_plan_that_this_version_does_not_read_is_an_error_that_ends_nothing_else(
    stage: Stage, mongod: MongodProcess
) -> None:
    begun = await stage.start()
    job = await held(stage, mongod, begun.job_id)
    older = HeldJob(replace(job.job, facts={**job.facts, "plan": "{}"}))
    with pytest.raises(MaskPlanRefused):
        _ = older.plan
