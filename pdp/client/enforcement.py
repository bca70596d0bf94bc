"""What `guard` and `pdp run` share: nothing runs without a proof that this very request may run, here and now.

ask -> wait for people -> ask again, using the approval -> look again at what is about to run -> check the grant
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from pdp.canonical import canonical
from pdp.client.connection import Client
from pdp.client.decision import Decision
from pdp.errors import PdpError
from pdp.grant import GrantInvalid, SpentGrants, verify_grant
from pdp.v1.approval_pb2 import Approval, OutcomeState, ReportOutcomeRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.info_pb2 import GetServerInfoResponse

_LOG = logging.getLogger("pdp.guard")
_SPENT = SpentGrants()

Build = Callable[[str], AuthorizeRequest]
"""The request about what would run now, for this identity of the caller; made anew each time it is called."""


class ArgumentsChanged(PdpError):
    """What is about to run differs from what was asked about."""

    code = "PERMISSION_DENIED"
    reason = "ARGUMENTS_CHANGED"


class ApprovalPending(PdpError):
    """People have to review first. After that, call again with the same `request_id`, or with `approval_id`."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_PENDING"

    def __init__(self, approval_id: str, request_id: str) -> None:
        super().__init__(f"people have to review {approval_id} first", approval_id=approval_id, request_id=request_id)
        self.approval_id, self.request_id = approval_id, request_id


@dataclass(frozen=True, slots=True)
class Permit:
    """One allow whose proof was checked: it is for exactly one run, which begins now."""

    decision: Decision
    claims: dict[str, Any]

    @property
    def approval_id(self) -> str:
        """The approval that was used; empty where none was needed."""
        return str(self.claims.get("approval", ""))


class Enforcement:
    """Asks one server for permits, and tells it what became of them. Raises `PdpError`s and `Denied`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def permit(self, build: Build, *, wait: float, waiting: Callable[[Approval], None] | None = None) -> Permit:
        """A permit for what `build` describes, once people have reviewed it where they must.

        Waits at most `wait` seconds for them, after a call of `waiting`; then `ApprovalPending`. Everything but a clear
        allow is `Denied`, a proof that does not hold `GrantInvalid`, and what changed meanwhile `ArgumentsChanged`.
        """
        facts = await self._client.facts()
        request = build(facts.caller.identity)
        request.request_id = request.request_id or uuid4().hex
        request.attempt_id = uuid4().hex  # a permit is for one run; another one may go on beside it or after a crash
        request.want_grant = True
        asked = canonical(request, facts.realm).json
        unchanged = partial(_unchanged, build, asked, facts)
        decision = (await self._decided(request, wait, waiting, unchanged)).require()
        try:
            return _checked(build, asked, decision, facts)
        except GrantInvalid:
            fresh = await self._client.facts(anew=True)
            if fresh.jwks == facts.jwks:
                raise
        return _checked(build, asked, decision, fresh)

    async def report(self, permit: Permit, *, succeeded: bool, detail: str = "") -> None:
        """What became of the use of an approval. A report that fails is logged: it must not hide the result.

        One that is cancelled goes on to its end, within the client's timeout, and then raises `CancelledError`.
        """
        if permit.approval_id:
            await _finished(asyncio.create_task(self._reported(permit, succeeded=succeeded, detail=detail)))

    async def _reported(self, permit: Permit, *, succeeded: bool, detail: str) -> None:
        state = OutcomeState.OUTCOME_STATE_SUCCEEDED if succeeded else OutcomeState.OUTCOME_STATE_FAILED
        request = ReportOutcomeRequest(approval_id=permit.approval_id, state=state, detail=detail)
        try:
            await self._client.call(self._client.approvals.ReportOutcome, request)
        except Exception as error:  # noqa: BLE001  # the action has ended, with or without a report
            reason = error.reason if isinstance(error, PdpError) else type(error).__name__
            _LOG.warning("the outcome of %s was not reported: %s", permit.approval_id, reason)

    async def _decided(
        self,
        request: AuthorizeRequest,
        wait: float,
        waiting: Callable[[Approval], None] | None,
        unchanged: Callable[[], AuthorizeRequest],
    ) -> Decision:
        """The answer after the people's reviews. A request that changed meanwhile does not use the approval."""
        clock = asyncio.get_running_loop().time
        end = clock() + wait
        decision = await self._client.decide(request)
        while decision.needs_approval:
            approval = decision.response.approval
            if clock() >= end:
                raise ApprovalPending(approval.approval_id, request.request_id)
            if waiting is not None:
                waiting(approval)
                waiting = None
            await self._client.wait(approval.approval_id, timeout=end - clock())
            unchanged()
            request.approval_id = approval.approval_id
            decision = await self._client.decide(request)
        return decision


async def _finished(reporting: asyncio.Task[None]) -> None:
    """Wait until it is done, also where this is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not reporting.done():
        try:
            await asyncio.wait({reporting})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    reporting.result()


def _checked(build: Build, asked: bytes, decision: Decision, facts: GetServerInfoResponse) -> Permit:
    """The proof holds for what would run now. Nothing is awaited between this and the run."""
    answer, request = decision.response, _unchanged(build, asked, facts)
    named = len(request.on_behalf_of)
    if list(request.on_behalf_of) != answer.on_behalf_of[:named]:
        raise GrantInvalid("the server decided for others than this request is on behalf of")
    request.on_behalf_of.extend(answer.on_behalf_of[named:])  # those that the caller's credential adds
    digest = canonical(request, facts.realm).digest
    if answer.request_digest != digest:
        raise GrantInvalid("the server decided about another request than the one that is about to run")
    if not answer.grant:
        raise GrantInvalid("the allow came without a grant")
    claims = verify_grant(answer.grant, facts.jwks, caller=facts.caller.identity, digest=digest, realm=facts.realm)
    if claims["jti"] != answer.decision_id or claims.get("approval", answer.approval.approval_id) != (
        answer.approval.approval_id
    ):
        raise GrantInvalid("the grant is for another decision")
    _SPENT.spend(claims)
    return Permit(decision, claims)


def _unchanged(build: Build, asked: bytes, facts: GetServerInfoResponse) -> AuthorizeRequest:
    """The request about what would run now, which is what was asked about."""
    request = build(facts.caller.identity)
    if canonical(request, facts.realm).json != asked:
        raise ArgumentsChanged("what is about to run is not what was asked about: it changed meanwhile")
    return request
