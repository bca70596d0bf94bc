"""What the tests of mask jobs share: a server whose policy can change, jobs and their parts by hand."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa

from pdp import keys
from pdp.arrow import table
from pdp.mask_job import JobSealer
from pdp.v1 import info_pb2, mask_job_pb2, mask_pb2
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2 import MaskJobState
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from pdp.v1.request_pb2 import Subject
from tests.faults import eventually
from tests.masks import Streamed, masking, scope, taken
from tests.parts import Placet, Refusal, refusal
from tests.tokens import bearer

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": data.reviewers}} if {
    input.context.ask == true
}

needs_approval contains {"rule": "all", "reason": "all ask now", "reviewers": {"groups": ["data-stewards"]}} if {
    data.all_ask
}

allow contains {"rule": "free", "reason": "free"} if not object.get(input.context, "ask", false)

deny contains {"rule": "closed", "reason": "the table is closed"} if data.closed

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"} if not data.plain

mask contains {"rule": "plain", "reason": "plain", "columns": ["id"], "mask": "clear"} if data.plain

mask contains {"rule": "notes", "reason": "no secret", "columns": ["note", "at"], "mask": "clear"}
"""
PERSON = {"person.id": {"mask": "token", "values": "open"}}
DATA = {
    "domains": PERSON,
    "groups": {"data-stewards": ["user:bob"], "owners": ["user:carol"]},
    "reviewers": ["data-stewards"],
    "closed": False,
    "all_ask": False,
    "plain": False,
}
SCHEMA = {"type": "object", "properties": {"ask": {"type": "boolean"}}, "additionalProperties": True}
TABLE = pa.schema([("id", pa.string()), ("note", pa.string())])
IN_SERVER = mask_job_pb2.MASK_KEYS_PLACE_SERVER
ON_EXECUTORS = mask_job_pb2.MASK_KEYS_PLACE_EXECUTORS
STOPPED = MaskJobState.MASK_JOB_STATE_STOPPED
SUCCEEDED, FAILED = OutcomeState.OUTCOME_STATE_SUCCEEDED, OutcomeState.OUTCOME_STATE_FAILED


def rows(*ids: str | None, schema: pa.Schema = TABLE) -> pa.RecordBatch:
    """A batch with these ids."""
    return pa.record_batch({"id": pa.array(ids, schema.field(0).type), "note": ["n"] * len(ids)}, schema=schema)


def request(keys: int = IN_SERVER, schema: pa.Schema = TABLE, **context: Any) -> mask_job_pb2.StartMaskJobRequest:
    """The start of a job with a request id of its own."""
    made = scope("people", request_id=uuid4().hex, on_behalf_of=[Subject(type="user", id="alice")])
    made.context.update({"run": uuid4().hex, **context})
    return mask_job_pb2.StartMaskJobRequest(scope=made, arrow_schema=table.schema_bytes(schema), keys=keys)


@dataclass
class Stage:
    """A server whose policy can change."""

    server: Placet
    folder: Path

    @property
    def jobs(self) -> MaskJobServiceStub:
        return MaskJobServiceStub(self.server.channel)

    def by(self, name: str = "report-bot") -> Any:
        return self.server.metadata(name)

    async def start(
        self, made: mask_job_pb2.StartMaskJobRequest | None = None, by: str = "report-bot"
    ) -> mask_job_pb2.StartMaskJobResponse:
        return await self.jobs.StartMaskJob(made or request(), metadata=self.by(by))

    async def part(
        self,
        ticket: str,
        part: int,
        *batches: pa.RecordBatch,
        attempt: int = 0,
        piece: int = 0,
        schema: pa.Schema = TABLE,
        server: Placet | None = None,
    ) -> Streamed:
        """Stream a part of a job to its end."""
        start = start_of(part, attempt, piece, schema)
        return await streamed(server or self.server, bearer(ticket), batches, start)

    async def streaming(self, ticket: str) -> Any:
        """The call of a part of two rows that came back masked; it goes on."""
        call = self.server.masks.MaskStream(metadata=bearer(ticket))
        await call.write(mask_pb2.MaskStreamRequest(start=start_of(0)))
        await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(rows("a", "b").serialize())))
        assert (await call.read()).HasField("opened")
        assert (await call.read()).arrow_message
        return call

    async def finish(
        self,
        job_id: str,
        parts: Sequence[tuple[int, int, int]] = (),
        outcome: OutcomeState = SUCCEEDED,
        by: str = "report-bot",
        **members: Any,
    ) -> mask_job_pb2.MaskJob:
        ended = [mask_job_pb2.EndedPart(part=part, attempt=attempt, rows=rows) for part, attempt, rows in parts]
        made = mask_job_pb2.FinishMaskJobRequest(job_id=job_id, outcome=outcome, parts=ended, **members)
        return (await self.jobs.FinishMaskJob(made, metadata=self.by(by))).job

    async def get(self, job_id: str, by: str = "report-bot", *, check: bool = False) -> mask_job_pb2.MaskJob:
        made = mask_job_pb2.GetMaskJobRequest(job_id=job_id, check=check)
        return (await self.jobs.GetMaskJob(made, metadata=self.by(by))).job

    async def cancel(self, job_id: str, by: str = "report-bot", reason: str = "") -> mask_job_pb2.MaskJob:
        made = mask_job_pb2.CancelMaskJobRequest(job_id=job_id, reason=reason)
        return (await self.jobs.CancelMaskJob(made, metadata=self.by(by))).job

    async def change(self, **data: Any) -> None:
        """Change the policy's data, and wait until it is in force."""

        async def revision() -> str:
            asked = info_pb2.GetServerInfoRequest()
            return (await self.server.info.GetServerInfo(asked, metadata=self.by("dana"))).policy_revision

        before, text = await revision(), json.dumps({**DATA, **data})
        if (self.folder / "data.json").read_text() == text:
            return
        (self.folder / "data.json").write_text(text)

        async def has_changed() -> bool:
            return await revision() != before

        await eventually(has_changed)


def start_of(part: int, attempt: int = 0, piece: int = 0, schema: pa.Schema = TABLE) -> mask_pb2.StreamStart:
    """The start of a part."""
    place = mask_pb2.MaskJobPart(part=part, attempt=attempt, piece=piece)
    return mask_pb2.StreamStart(shape=mask_pb2.MaskShape(arrow_schema=table.schema_bytes(schema)), job=place)


async def streamed(
    server: Placet, metadata: Any, batches: Sequence[pa.RecordBatch], start: mask_pb2.StreamStart
) -> Streamed:
    """Send a start and batches, take all that comes back."""
    requests = [mask_pb2.MaskStreamRequest(start=start)]
    requests += [mask_pb2.MaskStreamRequest(arrow_message=bytes(batch.serialize())) for batch in batches]
    return await taken(server.masks.MaskStream(iter(requests), metadata=metadata))


async def refused(stage: Stage, ticket: str, *batches: pa.RecordBatch, part: int = 0, **place: Any) -> Refusal:
    """The refusal of a part; gRPC for Python says something of its own where that was faster than the message."""
    while True:
        try:
            await stage.part(ticket, part, *(batches or (rows("a"),)), **place)
        except grpc.aio.AioRpcError as error:
            if error.details() != "Internal error from Core":
                return refusal(error)
        else:
            raise AssertionError("the part was masked")


def written(folder: Path) -> Path:
    """The folder with the policy of these tests in it."""
    (folder / "schema/context").mkdir(parents=True)
    (folder / "policy.rego").write_text(POLICY)
    (folder / "schema/context/any.json").write_text(json.dumps(SCHEMA))
    (folder / "data.json").write_text(json.dumps(DATA))
    return folder


@asynccontextmanager
async def staged(state: Path, mongodb_uri: str, folder: Path, **changes: Any) -> AsyncIterator[Stage]:
    """A server with the policy of these tests in `folder`."""
    async with masking(state, mongodb_uri, policy=[written(folder)], **changes) as server:
        yield Stage(server, folder)


def told(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """Code and reason of a refusal."""
    found = refusal(error)
    return found.code, found.reason


def values(job: mask_job_pb2.MaskJob) -> Mapping[str, int]:
    return {one.column: one.values for one in job.values}


async def over(stage: Stage, database: Any, job_id: str, ago: timedelta = timedelta()) -> None:
    """As if a job's time had been over for so long: its times are signed, so they are signed anew."""
    sealer = JobSealer(keys.private_key(stage.server.state / "keys" / "seal.jwk"), "dev")
    held = await database["mask_jobs"].find_one({"_id": job_id})
    ended = (datetime.now(UTC) - ago - timedelta(seconds=1)).replace(microsecond=0)
    seal = sealer.beginning(job_id, held["frozen"], held["started_at"], ended)
    await database["mask_jobs"].update_one({"_id": job_id}, {"$set": {"expires_at": ended, "seal": seal}})
