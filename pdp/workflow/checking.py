"""What is checked of a question before the policy is asked, in whichever form it came."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pdp import canonical, metrics, sent
from pdp.authzen_question import Asked
from pdp.bad_fields import MAX_NAMED, BadFields
from pdp.caller import Caller, identity
from pdp.errors import InvalidRequest, PdpError
from pdp.turns import Turns
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Subject
from pdp.workflow.answer import Ask, Failed
from pdp.workflow.repeat import checked_attempt

Faults: TypeAlias = Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]]
"""(Field path, what is wrong) for each attribute of a canonical request that the policy's schemas do not take."""


Unsaid: TypeAlias = Callable[[AuthorizeRequest, str], None]
"""Hears of a request that does not say its digest, and of its caller's identity."""


class Checking:
    """The checks of questions."""

    def __init__(self, realm: str, faults: Faults, turns: Turns, unsaid: Unsaid) -> None:
        """`unsaid` hears of each request without an `expected_digest`, and the caller's identity."""
        self._realm, self._faults, self._turns, self._unsaid = realm, faults, turns, unsaid

    @metrics.CANONICAL.timed
    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        """Whether all of it arrived, every check of shape, and whether this caller may ask in these names.

        Raises `RequestDiffers`, `DigestRequired`, `InvalidRequest` and `NotAllowed`.
        """
        return self.checked_within(request, caller, self.require_whole(request, caller))

    def require_whole(self, request: AuthorizeRequest, caller: Caller) -> canonical.Canonical | None:
        """Raise `RequestDiffers` or `DigestRequired` unless this is what its caller meant, as far as that is said.

        Then return the canonical form of what it meant.
        """
        if not request.expected_digest:
            self._unsaid(request, caller.identity)
        return sent.require_whole(request, self._realm, required=caller.requires_digest)

    def checked_within(
        self, sent_request: AuthorizeRequest, caller: Caller, whole: canonical.Canonical | None = None
    ) -> Ask:
        """`checked` for what is a request's that was checked, with members that the server has added.

        `whole` is the canonical form of what was sent, where it is known: it is not made twice.
        """
        with BadFields() as bad:
            bad.tried(canonical.refuse_unknown_fields, sent_request)
            request = _with_vouched(sent_request, caller)
            _try_switches(bad, request)
            known = whole if request is sent_request else None
            bound = known or bad.tried(canonical.canonical, request, self._realm)
        return self._allowed(Ask(request, caller, bound, time.time_ns()))

    @metrics.CANONICAL.timed
    def checked_json(self, asked: Asked, caller: Caller) -> Ask:
        """`checked` for a question that came in AuthZEN's JSON, whose shape was checked as it was read."""
        if not asked.request.expected_digest:
            self._unsaid(asked.request, caller.identity)
        with BadFields() as bad:
            _try_switches(bad, asked.request)
            bound = bad.tried(asked.canonical, self._realm)
        sent.require_digest(asked.request, bound, required=caller.requires_digest)
        return self._joined(asked, caller, bound)

    def checked_candidate(self, asked: Asked, caller: Caller) -> Ask:
        """`checked` for a question that a search puts together: it comes with no switches and cannot say its digest."""
        return self._joined(asked, caller, asked.canonical(self._realm))

    def _joined(self, asked: Asked, caller: Caller, bound: canonical.Canonical) -> Ask:
        whole = asked.joined(caller.vouched)
        if whole is not asked:
            bound = whole.canonical(self._realm)
        ask = Ask(whole.request, caller, bound, time.time_ns())
        return self._allowed(replace(ask, supports=asked.supports, opens=asked.opens, tells_unknown=True))

    def _allowed(self, ask: Ask) -> Ask:
        """The question, if the policy's schemas take it and its caller may ask it."""
        if faults := self._faults(ask.canonical.members):
            raise InvalidRequest.fields(faults[:MAX_NAMED])
        request = ask.request
        ask.caller.may_speak_for(identity(request.subject), [identity(subject) for subject in request.on_behalf_of])
        return ask

    async def checked_each(self, checks: Iterable[Callable[[], Ask]], caller: Caller) -> list[Ask | Failed]:
        """What each check gives; a bad question fails alone."""
        asks: list[Ask | Failed] = []
        for index, check in enumerate(checks):
            try:
                asks.append(check())
            except PdpError as error:
                asks.append(Failed(error))
            await self._turns.behind(index, caller.identity)
        return asks


def _try_switches(bad: BadFields, request: AuthorizeRequest) -> None:
    """What a question says beside its canonical form."""
    if request.request_id:
        bad.tried(canonical.checked_id, request.request_id, "request_id")
    if request.attempt_id:
        bad.tried(checked_attempt, request.attempt_id)
    if request.justification:
        bad.tried(canonical.checked_text, request.justification, "justification")


def _with_vouched(request: AuthorizeRequest, caller: Caller) -> AuthorizeRequest:
    """Everyone who stands in the caller's token joins the chain: a request can add to it, never remove."""
    if not caller.vouched:
        return request
    named = {(subject.type, subject.id) for subject in request.on_behalf_of}
    missing = [principal for principal in dict.fromkeys(caller.vouched) if principal not in named]
    if not missing:
        return request
    joined = AuthorizeRequest()
    joined.CopyFrom(request)
    joined.on_behalf_of.extend(Subject(type=kind, id=identifier) for kind, identifier in missing)
    return joined
