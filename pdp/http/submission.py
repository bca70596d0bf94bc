"""Reads the submission of an access request, and holds it against the denial that it says it is about."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pdp.access_request import TaskAt
from pdp.authzen import Envelope
from pdp.authzen_question import OPEN_APPROVAL, Asked, Options, Part
from pdp.binding_token import SECONDS, Binder, Denial
from pdp.caller import Caller
from pdp.errors import InvalidRequest, NotAllowed
from pdp.http.denial import is_requestable
from pdp.http.problem import Problem
from pdp.http.route import Call
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.access_requests import AccessRequests
from pdp.workflow.answer import Ask

_URN = "urn:openid:authzen:access-request:error:"
_KEY = "Idempotency-Key"
_KEY_FORM = re.compile(r"[\x20-\x7e]{1,1024}")
_MEMBERS = frozenset({"denial", "requested_access", "client", "items", "callback"})
_LATER = {
    "items": "bundles are not taken yet; submit one access request for each item",
    "callback": "is not taken yet; ask with `Prefer: wait`, or have the operator set up a webhook",
}
"""Members of the profile that are refused, because who sends them counts on them."""
_OF_AN_EVALUATION = frozenset({"attempt_id", "dry_run", "explain", "want_grant", OPEN_APPROVAL})
"""Options that a submission does not take: it asks for people, and that is all it does."""
_NO_OBJECT = "is not a JSON object; send one"
_NANOSECONDS = 1_000_000_000


def urn(kind: str) -> str:
    """The type of a problem as the profile names it."""
    return _URN + kind


@dataclass(frozen=True, slots=True)
class Read:
    """A submission: the question as it was denied, and the denial."""

    asked: Asked
    denial: Denial


class Submission:
    """The submissions of one face."""

    def __init__(self, binder: Binder, requests: AccessRequests) -> None:
        self._binder, self._requests = binder, requests

    async def read(self, call: Call) -> Read:
        """The submission in a call. Raises `InvalidRequest`, `NotAllowed`, and `Problem` for a token that is not ours.

        Members of the context that the denial does not bind came with the submission. They do not count.
        """
        envelope = Envelope(call.body, _MEMBERS)
        _refuse(envelope)
        _require_own_name(_object(envelope, "client"), call.caller)
        denial = await self._denial(_object(envelope, "denial"), call.caller.identity)
        options = _options(envelope, call)
        context = _bound(envelope.parts.get("context", Part({})), denial)
        asked = Asked.of({**envelope.parts, "context": context}, options, envelope.ignored)
        return Read(replace(asked, request=_without_approval(asked.request)), denial)

    @staticmethod
    def bound(read: Read, ask: Ask) -> Ask:
        """The question, if it is the denied one. Raises `Problem`."""
        if ask.canonical.digest != read.denial.digest:
            raise _unbound("this is not the request that was denied; submit it as it was evaluated")
        return ask

    @staticmethod
    def require_fresh(read: Read, ask: Ask) -> None:
        """Raise `Problem` where the denial has ended."""
        if ask.now_ns >= read.denial.ends * _NANOSECONDS:
            raise Problem(HTTPStatus.GONE, urn("expired_denial"), "this denial has expired; evaluate the request again")

    @staticmethod
    def require_another_key(read: Read, known: TaskAt) -> None:
        """Raise `Problem` where this denial is younger than the end of what its key asked for: that is another run."""
        if known.ended_before(read.denial.ends - SECONDS):
            sentence = "this Idempotency-Key asked for an approval that has ended since; take a new key for a new run"
            raise Problem(HTTPStatus.CONFLICT, urn("duplicate_request"), sentence)

    async def _denial(self, sent: dict[str, Any], caller: str) -> Denial:
        """The denial by its token, or by its id alone, which the log knows."""
        expires_at = sent.get("expires_at")
        if not isinstance(expires_at, str):
            raise InvalidRequest.field("denial.expires_at", "is required: the `expires_at` of the denial")
        if "binding_token" not in sent and isinstance(sent.get("evaluation_id"), str):
            return await self._by_id(sent["evaluation_id"], expires_at, caller)
        token = sent.get("binding_token")
        denial = self._binder.denial(token, caller) if isinstance(token, str) else None
        if denial is None:
            raise _unbound(
                "this server did not give this caller denial.binding_token; send the token of the denial as it came"
            )
        if expires_at != denial.expires_at or sent.get("evaluation_id", denial.evaluation_id) != denial.evaluation_id:
            raise _unbound("denial.expires_at or denial.evaluation_id is not that of the token; send them as they came")
        return denial

    async def _by_id(self, evaluation_id: str, expires_at: str, caller: str) -> Denial:
        """The denial of the log. It ends when it says, and no later than its record allows."""
        found = await self._requests.recorded(caller, evaluation_id)
        if found is None:
            raise _unbound("denial.evaluation_id is of no evaluation of this caller; send it as it came")
        if not is_requestable(found.effect, found.rules):
            sentence = "people cannot lift this denial: it has no context.access_request"
            raise Problem(HTTPStatus.BAD_REQUEST, urn("not_requestable"), sentence)
        return replace(found.denial, ends=min(found.denial.ends, _seconds(expires_at)))


def _seconds(instant: str) -> int:
    try:
        return int(datetime.fromisoformat(instant).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        raise InvalidRequest.field("denial.expires_at", "is not a time such as 2026-01-01T00:00:00Z") from None


def _refuse(envelope: Envelope) -> None:
    if later := [(name, why) for name, why in _LATER.items() if name in envelope.others]:
        raise InvalidRequest.fields(later)
    options = envelope.options
    if strange := sorted((options.flags | options.texts.keys()) & _OF_AN_EVALUATION):
        raise InvalidRequest.fields([(f"options.{name}", "belongs to an evaluation; leave it out") for name in strange])


def _options(envelope: Envelope, call: Call) -> Options:
    """The options, with what the profile says elsewhere: the key of the submission, and why access is wanted."""
    texts = dict(envelope.options.texts)
    wanted = _object(envelope, "requested_access").get("justification", "")
    if not isinstance(wanted, str):
        raise InvalidRequest.field("requested_access.justification", "is not a text; send a string")
    elsewhere = {"request_id": _key(call), "justification": wanted}
    for name, value in elsewhere.items():
        if value and texts.setdefault(name, value) != value:
            raise InvalidRequest.field(f"options.{name}", "differs from what stands elsewhere; leave it out")
    return replace(envelope.options, texts=texts)


def _key(call: Call) -> str:
    """The submission's key. It may stand in quotes, as a structured field has it (RFC 9651)."""
    sent = call.headers.get(_KEY.lower())
    if sent is None:
        return ""
    key = sent[1:-1] if sent[:1] == sent[-1:] == '"' and len(sent) > 1 else sent
    if not _KEY_FORM.fullmatch(key):
        raise InvalidRequest.field(_KEY, "is not 1 to 1,024 characters of printable ASCII; a random UUID is enough")
    return key


def _bound(context: Part, denial: Denial) -> Part:
    return replace(
        context, members={name: context.members[name] for name in denial.context_members if name in context.members}
    )


def _without_approval(request: AuthorizeRequest) -> AuthorizeRequest:
    """The request without the approval that its context names: a submission uses none."""
    alone = AuthorizeRequest()
    alone.CopyFrom(request)
    alone.approval_id = ""
    return alone


def _require_own_name(client: dict[str, Any], caller: Caller) -> None:
    """Raise `NotAllowed` where `client.actor` is anybody but the caller: nobody vouches for another, or for a chain."""
    actor = client.get("actor")
    if actor is None:
        return
    own = isinstance(actor, dict) and actor.get("id") == caller.identity.partition(":")[2]
    if not own or not actor.keys() <= {"id", "type"}:
        sentence = "client.actor is not this caller alone; name the others in options.on_behalf_of"
        raise NotAllowed("SUBJECT_NOT_ALLOWED", sentence)


def _object(envelope: Envelope, name: str) -> dict[str, Any]:
    value = envelope.plain(name)
    if value is None and name not in envelope.others:
        value = {}
    if not isinstance(value, dict):
        raise InvalidRequest.field(name, _NO_OBJECT)
    return value


def _unbound(sentence: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, urn("invalid_denial_binding"), sentence)
