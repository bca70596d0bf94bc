"""Access requests over a face that only answers: a submission opens the approval, and its task says how that goes.

decided again by today's policy -> opened as any approval is -> its task, whose id alone the caller knows
"""

from contextlib import suppress
from dataclasses import replace

from pdp import access_request
from pdp.access_request import Task, TaskAt
from pdp.approval import ApprovalAt, State
from pdp.caller import Caller
from pdp.decision import Effect
from pdp.errors import ApprovalNotPending, RequestIdReused, ServerStops
from pdp.recording.denials import Denials
from pdp.store.approvals import Approvals
from pdp.store.tasks import Tasks
from pdp.workflow.answer import Ask, Decided
from pdp.workflow.deciding import Deciding
from pdp.workflow.integrity import Integrity
from pdp.workflow.requesting import Requesting
from pdp.workflow.retrying import retried
from pdp.workflow.watching import Watching


class AccessRequests:
    """Access requests and their tasks. Those of other callers are not there."""

    def __init__(
        self,
        deciding: Deciding,
        approvals: Approvals,
        tasks: Tasks,
        requesting: Requesting,
        watching: Watching,
        integrity: Integrity,
        denials: Denials,
    ) -> None:
        self._deciding, self._approvals, self._tasks = deciding, approvals, tasks
        self._requesting, self._watching, self._integrity = requesting, watching, integrity
        self.recorded = denials.recorded

    async def known(self, ask: Ask) -> TaskAt | None:
        """The task that the request id submitted before. Raises `RequestIdReused` where that was another request."""
        task = await self._tasks.by_key(ask.caller.identity, ask.request.request_id)
        if task is None:
            return None
        if task.digest != ask.canonical.digest:
            raise RequestIdReused("this key submitted another access request of this caller; take a new one")
        return await self._read(task, ask.caller)

    async def submit(self, ask: Ask) -> TaskAt | Decided:
        """The task of an access request; the decision instead where the policy denies by now, so that no one is asked.

        It uses nothing. Raises what a decision may raise.
        """
        decided = await self._deciding.decide_one(replace(ask, opens=True, uses=False))
        held = decided.answer.approval
        if decided.effect is Effect.ALLOW:
            return await retried(lambda: self._settled(ask))
        if decided.effect is Effect.DENY or held is None:
            return decided
        return await retried(lambda: self._of(held, ask))

    async def get(self, caller: Caller, task_id: str, wait_seconds: float = 0.0) -> TaskAt | None:
        """A task; a pending one once it is not pending any more, or as it is when the time is up.

        None where the caller has no such task.
        """
        task = await self._task(caller, task_id)
        if task is None:
            return None
        if task.approval_id and wait_seconds:
            with suppress(ServerStops):  # who waits gets the answer of now, and asks the next server
                await self._watching.changed(caller, task.approval_id, State.PENDING, wait_seconds)
        return await self._read(task, caller)

    async def cancel(self, caller: Caller, task_id: str, reason: str) -> TaskAt | None:
        """Withdraw a pending access request; the task afterwards. None where the caller has no such task.

        Raises `ApprovalNotPending`, `ApprovalTampered`, `Conflict`.
        """
        task = await self._task(caller, task_id)
        if task is None:
            return None
        if not task.approval_id:
            raise ApprovalNotPending("no approval was needed for this task", state=State.APPROVED)
        await self._requesting.cancel(caller, task.approval_id, reason, pending_only=True)
        return await self._read(task, caller)

    async def _task(self, caller: Caller, task_id: str) -> Task | None:
        return await self._tasks.of_caller(caller.identity, task_id) if access_request.is_id(task_id) else None

    async def _settled(self, ask: Ask) -> TaskAt | None:
        task = await self._tasks.settled(ask.caller.identity, ask.canonical.digest, ask.request.request_id)
        return TaskAt(task, None) if task else await self.known(ask)

    async def _of(self, held: ApprovalAt, ask: Ask) -> TaskAt | None:
        task = await self._tasks.of_approval(held.approval, ask.request.request_id)
        return await self._read(task, ask.caller) if task else await self.known(ask)

    async def _read(self, task: Task, caller: Caller) -> TaskAt:
        """The task as it is now. What says that people approved must be what the servers signed."""
        if not task.approval_id:
            return TaskAt(task, None)
        held = await self._approvals.of_its_caller(caller.identity, task.approval_id)
        if held.approval.approved_at is not None:
            await self._integrity.require(held.approval, caller, old=True)
        return TaskAt(task, held)
