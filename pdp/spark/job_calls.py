"""What the driver asks of the server about one job: begin, look, finish."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from google.protobuf.message import Message

from pdp.arrow.table import Schema, schema_bytes
from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError
from pdp.client.connection import Client
from pdp.client.decision import Decision, Denied
from pdp.client.enforcement import ApprovalPending
from pdp.client.question import question
from pdp.spark.tally import Tally
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2 import (
    EndedPart,
    FinishMaskJobRequest,
    FinishMaskJobResponse,
    GetMaskJobRequest,
    MaskedValues,
    MaskJob,
    MaskKeysPlace,
    StartMaskJobRequest,
    StartMaskJobResponse,
)
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from pdp.v1.mask_pb2 import MaskScope

T = TypeVar("T", bound=Message)

PATIENCE_SECONDS = 120.0
"""Seconds for which a server that is away is asked again about the end of a job; about its beginning a quarter."""
_MAX_REASON = 1_000
_PART = re.compile(r"parts\[(\d+)\](?:\.rows)?").fullmatch
"""Where the server names a part that did not come to its end, or of which more left than Spark took."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Who masks which table, as a program says it; by default the caller acts for itself."""

    table: str
    context: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    on_behalf_of: Sequence[str] = ()
    justification: str = ""
    request_id: str = ""
    approval_id: str = ""

    def message(self, caller: str) -> MaskScope:
        """The contract's message."""
        asked = question(
            self.subject or caller,
            "mask",
            f"table:{self.table}",
            on_behalf_of=self.on_behalf_of,
            context=self.context or None,
        )
        return MaskScope(
            subject=asked.subject,
            on_behalf_of=asked.on_behalf_of,
            table=self.table,
            context=asked.context if self.context else None,
            request_id=self.request_id or uuid4().hex,
            approval_id=self.approval_id,
            justification=self.justification,
            attempt_id=uuid4().hex,
        )


class JobCalls:
    """The calls of one client, in its loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stub: Any = MaskJobServiceStub(client.channel)

    async def start(
        self, scope: Scope, schema: Schema, *, keys_here: bool, understands: Sequence[str]
    ) -> StartMaskJobResponse:
        """The job. Raises `Denied`, `ApprovalPending` and `CallError`."""
        facts = await self._client.facts()
        place = MaskKeysPlace.MASK_KEYS_PLACE_EXECUTORS if keys_here else MaskKeysPlace.MASK_KEYS_PLACE_SERVER
        asked = scope.message(facts.caller.identity)
        request = StartMaskJobRequest(scope=asked, arrow_schema=schema_bytes(schema), keys=place)
        try:
            answer: StartMaskJobResponse = await self._insisted(self._stub.StartMaskJob, request, PATIENCE_SECONDS / 4)
        except CallError as error:
            if error.reason == "DECISION_USED":
                raise error.advising(_AGAIN) from None
            raise
        decision = Decision(answer.decision, frozenset(understands))
        if decision.needs_approval:
            raise _pending(answer.decision.approval.approval_id, asked.request_id)
        if any(reason.rule == "pdp.approval_consumed" for reason in answer.decision.reasons):
            denied = Denied(decision)
            denied.add_note(f"{_AGAIN[0].upper()}{_AGAIN[1:]}.")
            raise denied
        decision.require()
        return answer

    async def look(self, job_id: str) -> MaskJob:
        """The job, after the policy was asked about it."""
        request = GetMaskJobRequest(job_id=job_id, check=True)
        return (await self._client.call(self._stub.GetMaskJob, request)).job  # type: ignore[no-any-return]

    async def finish(
        self, job_id: str, outcome: "OutcomeState", tally: Tally, *, keys_here: bool, reason: str
    ) -> MaskJob:
        """The finished job. An attempt that the server saw otherwise was stopped early by Spark, and is left out."""
        while True:
            request = _finish(job_id, outcome, tally, reason, keys_here=keys_here)
            try:
                answer: FinishMaskJobResponse = await self._insisted(
                    self._stub.FinishMaskJob, request, PATIENCE_SECONDS
                )
            except CallError as error:
                early = [request.parts[int(found[1])].part for path, _ in error.violations if (found := _PART(path))]
                if not early:
                    raise
                tally = tally.without(early)
            else:
                return answer.job

    async def _insisted(self, rpc: Callable[..., Any], request: Message, seconds: float) -> Any:
        """The answer. A server that is away is asked again for so long."""
        clock, backoff = asyncio.get_running_loop().time, Backoff()
        ends = clock() + seconds
        while True:
            try:
                return await self._client.call(rpc, request)  # type: ignore[arg-type]
            except CallError as error:
                if error.code not in {"UNAVAILABLE", "DEADLINE_EXCEEDED"} or clock() >= ends:
                    raise
            await backoff.pause()


def _finish(
    job_id: str, outcome: "OutcomeState", tally: Tally, reason: str, *, keys_here: bool
) -> FinishMaskJobRequest:
    """What a driver says of the end of its job."""
    request = FinishMaskJobRequest(job_id=job_id, outcome=outcome, reason=reason[:_MAX_REASON])
    request.parts.extend(
        EndedPart(part=part, attempt=attempt, rows=rows) for part, (attempt, rows) in tally.ended.items()
    )
    if keys_here:
        request.thrown_away_attempts, request.thrown_away_rows = tally.thrown_away
        request.values.extend(MaskedValues(column=name, values=number) for name, number in tally.values.items())
    return request


_AGAIN = "a job has begun under this request_id; to mask again, take another request_id, which asks anew"


def _pending(approval_id: str, request_id: str) -> ApprovalPending:
    pending = ApprovalPending(approval_id, request_id)
    pending.add_note(f"Once they have approved, run this again with request_id={request_id!r}.")
    return pending
