"""What the answer to questions may hold: it is bounded before anything is settled, so what is settled fits.

Known before is what the policy said; what settling finds of an approval is not. Where that does not fit any more, the
approval is shown without its details, which GetApproval has.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pdp.decision import Effect, Verdict
from pdp.errors import AnswerTooLarge, PdpError
from pdp.service import message
from pdp.service.batch import item_error
from pdp.service.info import MESSAGE_BYTES
from pdp.service.slices import Slices
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeResponse, BatchAuthorizeResult
from pdp.workflow.answer import Ask, Decided, Failed

OWN_BYTES = 320
"""Bytes of ids, digest, revision and effect of an answer, and what is around them."""
APPROVAL_BYTES = 768
"""Bytes of an approval without its details, and of the server's own reason where it denies."""
_GRANT_BYTES = 1024
"""Bytes of a grant without the caller's identity and the realm, of which it has each once, in base64."""
_CHARACTER_BYTES = 4
"""Bytes of a character in UTF-8, at most."""
_AROUND = 12
"""Bytes around a result: its tag and length, and those of what it holds."""
_TIMES = ("created_at", "expires_at", "closed_at")
_SHORT = ("approval_id", "state", "request_digest", "decision_id", "version", *_TIMES)
"""What is shown of an approval where the rest does not fit."""

_Known: TypeAlias = tuple[Ask, Verdict | PdpError] | Failed
"""A question with the policy's verdict, or one that failed before."""


class Room:
    """The room of one message for the answers to some questions."""

    def __init__(self, advice: str, slices: Slices, taken: int = 0) -> None:
        """`advice` is what a caller does whose answers do not fit; `taken` bytes of the message are other things."""
        self._too_large = AnswerTooLarge(
            f"the answer is larger than the {MESSAGE_BYTES >> 20} MiB of a message; {advice}"
        )
        self._slices = slices
        self._kept: list[int] = []
        self._most = self._spare = MESSAGE_BYTES - taken

    async def require(self, asks: Sequence[Ask | Failed], verdicts: Sequence[Verdict | PdpError]) -> None:
        """Keep room for what is known of each answer. Raises `AnswerTooLarge` where there is not enough."""
        judged = iter(verdicts)
        known = [(ask, next(judged)) if isinstance(ask, Ask) else ask for ask in asks]
        if sum(await self._measured(_about, known)) > self._most:
            await self._measured(_exactly, known)
        self._spare = self._most - sum(self._kept)
        if self._spare < 0:
            raise self._too_large

    async def _measured(self, measure: Callable[[_Known], int], known: Sequence[_Known]) -> list[int]:
        self._kept = []
        for one in known:
            self._kept.append(measure(one))
            await self._slices.behind(0)
        return self._kept

    def fitted(self, index: int, decision: AuthorizeResponse) -> AuthorizeResponse:
        """The decision on one question, without details of its approval where these do not fit.

        Raises `AnswerTooLarge` where what an earlier policy said does not fit; the same attempt may ask for it again.
        """
        if self._takes(index, decision.ByteSize()):
            return decision
        if decision.HasField("approval"):
            decision.approval.CopyFrom(_short(decision.approval))
            if self._takes(index, decision.ByteSize()):
                return decision
        raise self._too_large

    def write_result(self, index: int, outcome: Decided | Failed, into: BatchAuthorizeResult) -> None:
        """Fill an item's answer, or the error that it would have got alone. The caller has its request."""
        if isinstance(outcome, Failed):
            error = item_error(outcome.error)
            fits = self._takes(index, error.ByteSize())
            into.error.CopyFrom(error if fits else item_error(self._too_large))
            return
        try:
            message.write_decision(outcome, into.decision, requests=False)
            self.fitted(index, into.decision)
        except AnswerTooLarge as error:
            into.error.CopyFrom(item_error(error))

    def _takes(self, index: int, size: int) -> bool:
        spare = self._spare + self._kept[index] - size - _AROUND
        if spare < 0:
            return False
        self._spare = spare
        return True


def _about(known: _Known) -> int:
    """Bytes that the answer to a question has at most, quickly: each character counts as the longest one."""
    match known:
        case (ask, Verdict(obligations=(), fired=None) as verdict):
            said = sum(16 + _CHARACTER_BYTES * (len(one.rule) + len(one.reason)) for one in verdict.reasons)
            return _of_question(ask, verdict) + said
    return _exactly(known)


def _exactly(known: _Known) -> int:
    if isinstance(known, Failed):
        return _of_error(known.error)
    ask, verdict = known
    if isinstance(verdict, PdpError):
        return _of_error(verdict)
    said = AuthorizeResponse(
        reasons=message.reasons(verdict.reasons),
        obligations=message.obligations(verdict.obligations),
        fired=message.fired(verdict),
    )
    return _of_question(ask, verdict) + said.ByteSize()


def _of_error(error: PdpError) -> int:
    return BatchAuthorizeResult(error=item_error(error)).ByteSize() + _AROUND


def _of_question(ask: Ask, verdict: Verdict) -> int:
    """Bytes of what does not depend on the policy's words."""
    chain = sum([8 + subject.ByteSize() for subject in message.chain(ask)])
    approval = APPROVAL_BYTES if verdict.effect is Effect.NEEDS_APPROVAL else 0
    return OWN_BYTES + len(verdict.revision.encode()) + chain + approval + _of_grant(ask, verdict.effect)


def _of_grant(ask: Ask, effect: Effect) -> int:
    asked = ask.request
    may_use = effect is Effect.NEEDS_APPROVAL and (asked.request_id or asked.approval_id)
    if asked.dry_run or not (may_use or (effect is Effect.ALLOW and asked.want_grant)):
        return 0
    return _GRANT_BYTES + 2 * len(ask.caller.identity.encode())


def _short(approval: Approval) -> Approval:
    return Approval(
        **{name: getattr(approval, name) for name in _SHORT if name not in _TIMES or approval.HasField(name)}
    )
