"""The access requests of AuthZEN's profile for them: submit what was denied, follow its task, withdraw it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pdp import canonical
from pdp.access_request import TaskAt
from pdp.authzen import Envelope
from pdp.errors import ApprovalNotPending, InvalidRequest, RequestIdReused
from pdp.http import task
from pdp.http.problem import Problem, violations
from pdp.http.route import Answer, Call, Route
from pdp.http.submission import Submission, urn
from pdp.workflow.access_requests import AccessRequests
from pdp.workflow.deciding import Deciding
from pdp.workflow.watching import WAIT_SECONDS

PATH = "/access/v1/requests"
FURTHER: Mapping[str, Any] = MappingProxyType(
    {"capabilities": ["urn:openid:authzen:capability:access-request"], "approval_use": "single"}
)
"""What the metadata says of access requests. An approval is used once, which is stricter than the profile."""
SPARE_SECONDS = 1.0
"""Seconds that a call has beyond the longest wait, for what is before and behind it."""
_PREFERENCE = re.compile(r"\s*wait\s*=\s*([0-9]{1,6})\s*(?:;.*)?", re.IGNORECASE)
_NOT_KEPT = {"Cache-Control": "no-store"}


class Requests:
    """Access requests. `endpoint` is where clients submit them."""

    def __init__(self, deciding: Deciding, requests: AccessRequests, submission: Submission, endpoint: str) -> None:
        self._deciding, self._requests, self._submission = deciding, requests, submission
        self._endpoint = endpoint

    def routes(self) -> list[Route]:
        """What is offered."""
        one, service = f"{PATH}/{{id}}", "pdp.v1.ApprovalService"
        return [
            Route("POST", PATH, "pdp.v1.DecisionService/Authorize", self.submit),
            Route("GET", one, f"{service}/WaitApproval", self.get, seconds=WAIT_SECONDS + SPARE_SECONDS),
            Route("POST", f"{one}/cancel", f"{service}/CancelApproval", self.cancel, needs_body=False),
        ]

    async def submit(self, call: Call) -> Answer:
        """Ask people: decided again by today's policy, and opened if that still needs them."""
        async with call.admitted(1):
            read = await self._submission.read(call)
            ask = self._submission.bound(read, self._deciding.checked_json(read.asked, call.caller))
            with _told():
                known = await self._requests.known(ask)
                if known is None:
                    self._submission.require_fresh(read, ask)
                else:
                    self._submission.require_another_key(read, known)
                found = known or await self._requests.submit(ask)
        if not isinstance(found, TaskAt):
            sentence = "the policy denies this by now, so nobody is asked; evaluate it again to see why"
            raise Problem(
                HTTPStatus.BAD_REQUEST, urn("not_requestable"), sentence, evaluation_id=found.answer.decision_id
            )
        status = HTTPStatus.CREATED if found.result else HTTPStatus.ACCEPTED
        return self._answer(found, status, Location=task.location(found, self._endpoint))

    async def get(self, call: Call) -> Answer:
        """A task; with `Prefer: wait=N` a pending one once people have decided, or after N seconds."""
        seconds = _wanted(call.headers.get("prefer", ""))
        async with call.admitted(1):
            found = await self._requests.get(call.caller, call.parameters["id"], seconds or 0.0)
        applied = {} if seconds is None else {"Preference-Applied": f"wait={seconds}"}
        return self._answer(_there(found), HTTPStatus.OK, **applied)

    async def cancel(self, call: Call) -> Answer:
        """Withdraw a pending access request."""
        reason = _reason(call)
        async with call.admitted(1):
            with _told():
                found = await self._requests.cancel(call.caller, call.parameters["id"], reason)
        return self._answer(_there(found), HTTPStatus.OK)

    def _answer(self, found: TaskAt, status: HTTPStatus, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(task.shown(found, self._endpoint), status, headers=_NOT_KEPT | named)


@contextmanager
def _told() -> Iterator[None]:
    """The problems as the profile names them."""
    try:
        yield
    except RequestIdReused as error:
        differ = {"violations": violations(error)} if error.violations else {}
        raise Problem(HTTPStatus.CONFLICT, urn("duplicate_request"), error.sentence, **differ) from None
    except ApprovalNotPending as error:
        raise Problem(HTTPStatus.CONFLICT, urn("invalid_task_state"), error.sentence) from None


def _there(found: TaskAt | None) -> TaskAt:
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, urn("unknown_task"), "this caller has no such task")
    return found


def _wanted(prefer: str) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), at most 60; None where nothing of the kind is preferred."""
    for preference in prefer.split(","):
        if matched := _PREFERENCE.fullmatch(preference):
            return min(int(matched[1]), int(WAIT_SECONDS))
    return None


def _reason(call: Call) -> str:
    """Why it is withdrawn, as its body says: `reason` is a code, `comment` a sentence."""
    if not call.body:
        return ""
    envelope = Envelope(call.body, {"reason", "comment"})
    texts = {name: envelope.plain(name) for name in ("reason", "comment")}
    if bad := [name for name, text in texts.items() if text is not None and not isinstance(text, str)]:
        raise InvalidRequest.fields([(name, "is not a text; send a string") for name in bad])
    return canonical.checked_text(": ".join(text for text in texts.values() if text), "comment")
