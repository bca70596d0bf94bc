"""Attacks on tickets of mask jobs: each is refused, wherever it comes."""

import time
from dataclasses import replace
from typing import Any

import aiohttp
import grpc
import pytest
from google.protobuf import message_factory
from joserfc.jwk import OKPKey

from pdp import keys
from pdp.authn.tickets import Tickets
from pdp.caller import ROLES, TAKES_TICKETS
from pdp.errors import NotAllowed, Unauthenticated
from pdp.mask_ticket import Ticket, read
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_job_pb2, mask_pb2
from pdp.v1.mask_job_pb2 import MaskJobState
from tests.mask_jobs import FAILED, ON_EXECUTORS, TABLE, Stage, request, rows, start_of, streamed, told
from tests.masks import scope, shape
from tests.parts import insisted, refusal
from tests.pdp.mongo import database
from tests.pdp.test_caller import RPCS, said
from tests.tokens import bearer

KEY = OKPKey.generate_key("Ed25519", {"kid": "seal"})
TICKET = Ticket("example", "job_1", "agent:etl", "dec_1", "people", "ab" * 32, 1, "server", 4_000_000_000)


def seal(stage: Stage) -> OKPKey:
    return keys.private_key(stage.server.state / "keys" / "seal.jwk")


async def refused(stage: Stage, ticket: str, start: mask_pb2.StreamStart | None = None) -> Any:
    """The refusal; gRPC for Python says something of its own where that was faster than the client's message."""
    while True:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await streamed(stage.server, bearer(ticket), [rows("a")], start or start_of(0))
        if error.value.details() != "Internal error from Core":
            return refusal(error.value)


def test_ticket_gives_the_caller_of_its_job() -> None:
    caller = Tickets(KEY, "example").caller(f"Bearer {TICKET.signed(KEY)}")
    assert caller is not None
    assert (caller.identity, caller.ticket, caller.expires_at) == ("agent:etl", TICKET, 4e9)
    caller.may_call(TAKES_TICKETS)
    for rpc in {*ROLES} - {TAKES_TICKETS}:
        with pytest.raises(NotAllowed):
            caller.may_call(rpc)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic abc", f"Bearer {'x' * 100_000}"])
def test_what_is_not_a_ticket_is_left_to_others(header: str | None) -> None:
    assert Tickets(KEY, "example").caller(header) is None


def test_ticket_of_another_realm_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        Tickets(KEY, "another").caller(f"Bearer {TICKET.signed(KEY)}")


@pytest.mark.parametrize("rpc", sorted(name for name in RPCS if f"pdp.v1.{name}" != TAKES_TICKETS))
async def test_no_other_rpc_takes_a_ticket(stage: Stage, rpc: str) -> None:
    begun = await insisted(stage.start)
    body = message_factory.GetMessageClass(RPCS[rpc].input_type)().SerializeToString()
    assert await said(stage.server.channel, RPCS[rpc], bearer(begun.ticket), body) == "UNAUTHENTICATED"


async def test_http_takes_no_ticket(stage: Stage) -> None:
    begun = await stage.start()
    headers = {"authorization": f"Bearer {begun.ticket}"}
    url = f"{stage.server.http}/access/v1/evaluation"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json={}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"realm": "another"},
        {"job": "job_" + "0" * 32},
        {"caller": "agent:other"},
        {"decision": "dec_" + "0" * 32},
        {"table": "salaries"},
        {"plan_sha256": "0" * 64},
        {"key_version": 2},
        {"keys": "executors"},
        {"exp": 1},
    ],
    ids=str,
)
async def test_ticket_with_another_claim_is_refused_even_where_it_is_signed(stage: Stage, changed: Any) -> None:
    begun = await stage.start()
    ticket = read(begun.ticket, seal(stage), time.time())
    answer = await refused(stage, replace(ticket, **changed).signed(seal(stage)))
    assert answer.reason in {"UNAUTHENTICATED", "MASK_JOB_NOT_FOUND"}
    assert answer.code in {"UNAUTHENTICATED", "NOT_FOUND"}


async def test_forged_ticket_is_refused(stage: Stage) -> None:
    begun = await stage.start()
    ticket = read(begun.ticket, seal(stage), time.time())
    grant = keys.private_key(stage.server.state / "keys" / "grant.jwk")
    none = begun.ticket.rpartition(".")[0] + "."
    for forged in (ticket.signed(KEY), ticket.signed(grant), none, begun.ticket[:-4] + "AAAA"):
        assert (await refused(stage, forged)).code == "UNAUTHENTICATED"


async def test_ticket_is_over_with_its_job(stage: Stage) -> None:
    finished, cancelled = await stage.start(), await stage.start()
    await stage.finish(finished.job_id, [], FAILED)
    await stage.cancel(cancelled.job_id)
    for begun in (finished, cancelled):
        assert (await refused(stage, begun.ticket)).reason == "MASK_JOB_ENDED"


async def test_ticket_streams_parts_and_no_scope(stage: Stage) -> None:
    begun = await stage.start()
    own = mask_pb2.StreamStart(scope=scope("people"), shape=shape(TABLE))
    both = start_of(0)
    both.scope.CopyFrom(scope("people"))
    records = mask_pb2.StreamStart(job=start_of(0).job)
    records.shape.record_paths.paths.append("id")
    for start in (own, both, records):
        assert (await refused(stage, begun.ticket, start)).code == "INVALID_ARGUMENT"


async def test_part_needs_a_ticket(stage: Stage) -> None:
    await stage.start()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await streamed(stage.server, stage.by(), [rows("a")], start_of(0))
    assert refusal(error.value).fields == ("start.job",)


async def test_server_masks_nothing_where_the_keys_are_elsewhere(stage: Stage) -> None:
    begun = await stage.start(request(ON_EXECUTORS))
    answer = await refused(stage, begun.ticket)
    assert (answer.code, answer.fields) == ("INVALID_ARGUMENT", ("start.job",))


async def test_ticket_names_no_key_and_verifies_offline(stage: Stage) -> None:
    begun = await stage.start(request(ON_EXECUTORS))
    ticket = read(begun.ticket, begun.ticket_key, time.time())
    assert (ticket.job, ticket.plan_sha256, ticket.keys) == (begun.job_id, begun.plan_sha256, "executors")
    assert ticket.exp == int(begun.expires_at.ToSeconds())
    assert begun.plan_json
    assert '"d"' not in begun.ticket_key


async def test_job_that_was_changed_in_the_database_is_refused(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    async with database(mongod, stage.server) as found:
        held = await found["mask_jobs"].find_one({"_id": begun.job_id})
        assert held is not None
        frozen = held["frozen"].replace(b'"table":"people"', b'"table":"salary"')
        assert frozen != held["frozen"]
        await found["mask_jobs"].update_one({"_id": begun.job_id}, {"$set": {"frozen": frozen}})
    assert (await refused(stage, begun.ticket)).reason == "MASK_JOB_TAMPERED"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [], FAILED)
    assert told(error.value)[1] == "MASK_JOB_TAMPERED"
    async with database(mongod, stage.server) as found:
        await found["mask_jobs"].delete_one({"_id": begun.job_id})


async def test_jobs_of_others_are_not_there(stage: Stage) -> None:
    begun = await stage.start()
    for by in ("bob", "carol"):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stage.get(begun.job_id, by)
        assert told(error.value) == ("NOT_FOUND", "MASK_JOB_NOT_FOUND")
        found = await stage.jobs.ListMaskJobs(mask_job_pb2.ListMaskJobsRequest(), metadata=stage.by(by))
        assert not found.jobs
    assert (await stage.get(begun.job_id, "dana")).state == MaskJobState.MASK_JOB_STATE_RUNNING


async def test_program_that_a_job_names_is_not_shown_it_in_a_list(stage: Stage) -> None:
    asked = request()
    asked.scope.subject.type, asked.scope.subject.id = "agent", "report-bot"
    begun = await stage.start(asked, by="dev")
    with pytest.raises(grpc.aio.AioRpcError):
        await stage.get(begun.job_id)
    found = await stage.jobs.ListMaskJobs(mask_job_pb2.ListMaskJobsRequest(), metadata=stage.by())
    assert begun.job_id not in {one.job_id for one in found.jobs}
