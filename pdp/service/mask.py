"""MaskService: authenticate -> masks of the policy -> plan -> Authorize -> quota -> mask -> record -> answer.

Whether somebody may mask, unmask or rewrap is decided, approved and recorded as any other action. The masking runs in
threads of its own, where kernels hold no lock, so that decisions go on meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import masker
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.caller import Caller
from pdp.canonical import refuse_unknown
from pdp.errors import Conflict, EngineUnavailable, InvalidRequest, KeyRefused, MaskPlanRefused, PdpError, PolicyInvalid
from pdp.masking import plan as work
from pdp.masking.job import Job, Limits, Progress, Reservation, Threads
from pdp.masking.keys import MaskKeys
from pdp.masking.plan import Rows, Shape
from pdp.masking.question import masks_input, selection
from pdp.opa.queries import Opa
from pdp.recording.writer import Writer
from pdp.service.decision import DecisionService
from pdp.store.domains import Domains
from pdp.store.quotas import Quotas
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.mask_pb2 import (
    GetMaskPlanRequest,
    GetMaskPlanResponse,
    MaskRequest,
    MaskResponse,
    MaskScope,
    MaskStreamRequest,
    MaskStreamResponse,
    RewrapRequest,
    RewrapResponse,
    StreamEnd,
    StreamOpened,
    UnmaskRequest,
    UnmaskResponse,
)
from pdp.v1.request_pb2 import Action, Effect, Resource, Subject
from pdp.workflow.answer import Ask

StreamRequest = MaskStreamRequest | RewrapRequest | memoryview
"""An Arrow message is a view of what came."""
StreamResponse = MaskStreamResponse | RewrapResponse | bytes
"""An Arrow message is in its envelope already."""
Bound = Callable[[masker.MaskPlan], Mapping[str, Any]]
"""What the context of a decision says of the data, once there is a plan."""

ATTEMPTS = 3
"""How often a plan is made again because the policy changed meanwhile."""
_OWN = ("columns", "count", "tokens_sha256")
_REFUSALS = (MaskPlanRefused, PolicyInvalid, EngineUnavailable, KeyRefused)


class MaskService:
    """Masks, and undoes it for those who may."""

    def __init__(
        self,
        *,
        decisions: DecisionService,
        opa: Opa,
        keys: MaskKeys,
        domains: Domains,
        quotas: Quotas,
        limits: Limits,
        writer: Writer,
        threads: Threads,
    ) -> None:
        self._decisions, self._opa, self._keys, self._domains = decisions, opa, keys, domains
        self._quotas, self._limits, self._writer, self._threads = quotas, limits, writer, threads
        self._recording: set[asyncio.Task[None]] = set()

    async def Mask(self, request: MaskRequest, caller: Caller) -> MaskResponse:
        """A few rows."""
        rows = await self._threads.run(lambda: Rows.of(request.data))
        job = await self._job("mask", request.scope, rows.shape, caller)
        return MaskResponse(**await self._answer(job, rows))

    async def Unmask(self, request: UnmaskRequest, caller: Caller) -> UnmaskResponse:
        """A few rows as they were; an approval fits these very tokens."""
        rows = await self._threads.run(lambda: Rows.of(request.data))
        job = await self._job(
            "unmask",
            request.scope,
            rows.shape,
            caller,
            only=request.columns,
            bound=lambda plan: work.unmask_context(plan, rows),
        )
        return UnmaskResponse(**await self._answer(job, rows))

    async def GetMaskPlan(self, request: GetMaskPlanRequest, caller: Caller) -> GetMaskPlanResponse:
        """What would be done."""
        job = await self._job("mask", request.scope, Shape.of(request.shape), caller, dry_run=True)
        if isinstance(job, AuthorizeResponse):
            return GetMaskPlanResponse(decision=job)
        return GetMaskPlanResponse(
            decision=job.decision, plan=work.plan_message(job.plan), plan_json=job.plan.to_json()
        )

    def MaskStream(
        self, requests: AsyncIterator[StreamRequest], caller: Caller
    ) -> AsyncGenerator[StreamResponse, None]:
        """Any number of rows."""
        return self._stream("mask", requests, caller, MaskStreamResponse)

    def Rewrap(self, requests: AsyncIterator[StreamRequest], caller: Caller) -> AsyncGenerator[StreamResponse, None]:
        """Any number of masked rows to the active key version."""
        return self._stream("rewrap", requests, caller, RewrapResponse)

    async def _answer(self, job: Job | AuthorizeResponse, rows: Rows) -> dict[str, Any]:
        """The members of the response to inline data."""
        if isinstance(job, AuthorizeResponse):
            return {"decision": job}
        progress = self._progress(job)
        try:
            made = await progress.batch(rows.batch)
            data = await self._threads.run(lambda: rows.message(made, job.plan))
        except PdpError as error:
            await self._record(progress.entry("failed", error.reason))
            raise
        progress.leaves(made.num_rows)
        entry = progress.entry("complete")
        await self._record(entry)
        plan = work.plan_message(job.plan)
        return {"decision": job.decision, "plan": plan, "data": data, "rows": progress.rows, "record_id": entry.id}

    async def _stream(
        self,
        action: str,
        requests: AsyncIterator[StreamRequest],
        caller: Caller,
        answer: type[MaskStreamResponse | RewrapResponse],
    ) -> AsyncGenerator[StreamResponse, None]:
        """Opened, the masked batches, the end. A broken one is recorded with what it had sent."""
        first = await anext(requests, None)
        if first is None or isinstance(first, memoryview) or first.WhichOneof("message") != "start":
            raise InvalidRequest.field("start", "is required as the first message")
        job = await self._job(action, first.start.scope, Shape.of(first.start.shape), caller)
        if isinstance(job, AuthorizeResponse):
            yield answer(opened=StreamOpened(decision=job))
            return
        progress = self._progress(job)
        await self._record(progress.entry("started"))
        try:
            yield answer(opened=StreamOpened(decision=job.decision, plan=work.plan_message(job.plan)))
            async for rows, pieces in progress.masked(progress.admitted(_arrow_messages(requests))):
                progress.leaves(rows)
                for piece in pieces:
                    yield piece
            progress.require_whole()
        except BaseException as error:  # a cancelled or abandoned stream, too, has sent what it has sent
            await self._record(progress.entry("broken", error.reason if isinstance(error, PdpError) else "ABANDONED"))
            raise
        entry = progress.entry("complete")
        await self._record(entry)
        yield answer(end=StreamEnd(rows=progress.rows, record_id=entry.id))

    async def _job(
        self,
        action: str,
        scope: MaskScope,
        shape: Shape,
        caller: Caller,
        *,
        dry_run: bool = False,
        only: Sequence[str] = (),
        bound: Bound = lambda _: {},
    ) -> Job | AuthorizeResponse:
        """The work if it is allowed, else the decision.

        The plan comes first, so that no approval is used for what cannot be done.
        """
        request = _authorization(action, scope, dry_run=dry_run)
        ask = self._decisions.checked(request, caller)
        keys = await self._threads.run(self._keys.current)

        async def planned() -> tuple[masker.MaskPlan, Mapping[str, Any]]:
            plan = await self._plan(action, ask, shape, keys, scope.masked_key_version, only)
            return plan, await self._threads.run(lambda: bound(plan))

        try:
            plan, members = await planned()
        except _REFUSALS as refused:
            return await self._denied(ask, refused)
        request.context.update(members)
        decision = await self._decisions.Authorize(request, caller)
        wanted = {Effect.EFFECT_ALLOW, Effect.EFFECT_NEEDS_APPROVAL} if dry_run else {Effect.EFFECT_ALLOW}
        if decision.effect not in wanted:
            return decision
        for _ in range(ATTEMPTS):
            if decision.policy_revision == plan.policy_revision:
                await self._domains.claim(work.used_domains(plan))
                principals = [caller.identity, *map(_identity, [request.subject, *decision.on_behalf_of])]
                return Job(action, caller, principals, decision, plan, keys, shape, members)
            plan, again = await planned()
            if again != members:
                break
        raise Conflict("the policy changed meanwhile; ask again")

    async def _plan(
        self, action: str, ask: Ask, shape: Shape, keys: masker.Keyring, masked_version: int, only: Sequence[str]
    ) -> masker.MaskPlan:
        columns = shape.columns
        answer = await self._opa.masks(masks_input(ask.canonical.json, ask.caller, ask.now_ns, columns))
        selected = selection(answer, columns, partial=action != "mask")
        plan = await self._threads.run(
            lambda: work.plan(
                shape,
                selected,
                keys,
                direction=action,
                table_name=ask.request.resource.id,
                subject=_identity(ask.request.subject),
                masked_version=masked_version,
                only=only,
            )
        )
        await self._domains.require(work.used_domains(plan))
        return plan

    async def _denied(self, ask: Ask, refused: PdpError) -> AuthorizeResponse:
        """The deny, where the policy denies anyway; else why there is no plan, recorded and raised."""
        dry = AuthorizeRequest()
        dry.CopyFrom(ask.request)
        dry.dry_run = True
        decision = await self._decisions.Authorize(dry, ask.caller)
        if decision.effect == Effect.EFFECT_DENY:
            return decision
        await self._record(event.error(ask.caller, ask.canonical, refused))
        raise refused

    def _progress(self, job: Job) -> Progress:
        return Progress(job, Reservation(self._quotas, self._limits, job), self._threads.run)

    async def _record(self, entry: Entry) -> None:
        """No record, no answer; and a record that was begun is finished whoever hangs up."""
        task = asyncio.get_running_loop().create_task(self._writer.append([entry]))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.shield(task)


def _authorization(action: str, scope: MaskScope, *, dry_run: bool) -> AuthorizeRequest:
    """The question that this work is to the policy."""
    refuse_unknown(scope, "scope")
    if action == "unmask":
        for name in _OWN:
            if name in scope.context:
                raise InvalidRequest.field(f"scope.context.{name}", "is set by the server; leave it out")
    return AuthorizeRequest(
        subject=scope.subject,
        on_behalf_of=scope.on_behalf_of,
        action=Action(name=action),
        resource=Resource(type="table", id=scope.table),
        context=scope.context,
        request_id="" if dry_run else scope.request_id,
        approval_id="" if dry_run else scope.approval_id,
        justification=scope.justification,
        dry_run=dry_run,
    )


def _identity(subject: Subject) -> str:
    return f"{subject.type}:{subject.id}"


async def _arrow_messages(requests: AsyncIterator[StreamRequest]) -> AsyncGenerator[memoryview, None]:
    async for request in requests:
        if isinstance(request, memoryview):
            yield request
        elif request.WhichOneof("message") == "arrow_message":
            yield memoryview(request.arrow_message)
        else:
            raise InvalidRequest.field("arrow_message", "is required in every message after the first")
