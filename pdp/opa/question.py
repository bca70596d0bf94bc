"""What is asked of an attacked policy: about a request of its caller, or about the masks of columns."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import orjson
from google.protobuf import json_format

from pdp.caller import Caller, is_person
from pdp.decision import opa_input
from pdp.errors import InvalidRequest
from pdp.opa.trial import checked
from pdp.policy.attributes import Attributes
from pdp.v1.decision_pb2 import AuthorizeRequest

MEMBERS = frozenset({"subject", "on_behalf_of", "action", "resource", "context"})
"""What of an AuthorizeRequest a policy reads."""
_KINDS = ("person", "workload")


@dataclass(frozen=True)
class Question:
    """A question, and `where` it was found. `members` are the request's own and `caller`.

    With `columns`, as the core is asked about them, it is about their masks. `lineage` is what is known of the data:
    the server's word, which no caller changes.
    """

    where: str
    members: Mapping[str, Any]
    now_ns: int = 0
    columns: Sequence[Mapping[str, Any]] = ()
    lineage: Mapping[str, Any] = field(default_factory=lambda: {"state": "OFF"})

    def posed(self, members: Mapping[str, Any], attributes: Attributes) -> bytes:
        """OPA's input if the request said `members`. Raises `InvalidRequest` if a server takes no such request."""
        caller = _caller(members.get("caller"))
        bound = checked(self._saying(members), attributes)
        asked = opa_input(bound.json, caller, self.now_ns)
        if self.columns:
            parts = (bound.json, caller.json, self.now_ns, orjson.dumps(self.columns))
            asked = b'{"request":%b,"caller":%b,"now":%d,"columns":%b}' % parts
        return b'{"lineage":%b,%b' % (orjson.dumps(self.lineage), asked[1:])

    @cached_property
    def _message(self) -> AuthorizeRequest:
        return _parsed(self.members, AuthorizeRequest())

    def _saying(self, members: Mapping[str, Any]) -> AuthorizeRequest:
        """The message of `members`. Only what is another object than in this question is read: that takes most time."""
        message = AuthorizeRequest()
        message.CopyFrom(self._message)
        for name in MEMBERS:
            if (value := members.get(name)) is not self.members.get(name):
                message.ClearField(name)
                _parsed({name: value}, message)
        return message

    def whole(self, attributes: Attributes) -> "Question":
        """The same question with every member of its request. Raises `InvalidRequest` as `posed` does."""
        bound = checked(_parsed(self.members, AuthorizeRequest()), attributes)
        return replace(self, members={**bound.members, "caller": self.members["caller"]})


def given(where: str, request: AuthorizeRequest, groups: Sequence[str], person_types: frozenset[str]) -> Question:
    """The question of a message, asked now by its subject as a member of `groups`."""
    members = json_format.MessageToDict(request, preserving_proto_field_name=True)
    asked = {name: members[name] for name in MEMBERS & members.keys()}
    question = heard(where, {**asked, "now": time.time_ns()}, person_types)
    return replace(question, members={**asked, "caller": {**question.members["caller"], "groups": [*groups]}})


def heard(where: str, given: Mapping[str, Any], person_types: frozenset[str]) -> Question:
    """The question of an input of the core's `decision` or `masks`; its caller is the subject where it names none."""
    request = _object(given.get("request", given))
    rest = {key: value for key, value in request.items() if key not in {"caller", "now", "lineage"}}
    columns = _columns(given.get("columns")) if "request" in given else []
    subject = _object(rest.get("subject"))
    named = f"{subject.get('type')}:{subject.get('id')}"
    caller = {
        "identity": named,
        "kind": _KINDS[0] if is_person(named, person_types) else _KINDS[1],
        "groups": [],
        **_object(given.get("caller")),
    }
    now_ns = given.get("now", 0)
    lineage = _object(given.get("lineage")) or {"state": "OFF"}
    return Question(where, {**rest, "caller": caller}, now_ns if isinstance(now_ns, int) else 0, columns, lineage)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _columns(described: Any) -> Sequence[Mapping[str, Any]]:
    found = [column for column in described or () if isinstance(_object(column).get("name"), str)]
    return [{"leaf": True, "above": [], **column} for column in found]


def _parsed(members: Mapping[str, Any], message: AuthorizeRequest) -> AuthorizeRequest:
    """`message` with `members`, of which a request has no others. Raises `InvalidRequest`."""
    request = {name: value for name, value in members.items() if name != "caller"}
    if unknown := request.keys() - MEMBERS:
        raise InvalidRequest.field(min(unknown), "has no place in a request; leave it out")
    if not all(_is_shaped(value) for name, value in request.items() if name != "context"):
        raise InvalidRequest.field("request", _OTHER_SHAPE)
    try:
        return json_format.ParseDict(request, message)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest.field("request", _OTHER_SHAPE) from error


_OTHER_SHAPE = "is not of the contract's shape"


def _is_shaped(value: Any) -> bool:
    """Whether a member may be of the contract's shape: a look that saves reading it."""
    if not isinstance(value, dict):
        return value is None or isinstance(value, list)
    texts = all(isinstance(value.get(name, ""), str) for name in ("type", "id", "name"))
    return texts and isinstance(value.get("properties", {}), dict | None)


def _caller(described: Any) -> Caller:
    """The caller as a policy sees it, if a server could describe one so."""
    match described:
        case {"identity": str(identity), "kind": str(kind), "groups": list(groups)} if identity and kind in _KINDS:
            if all(isinstance(group, str) for group in groups):
                return Caller(identity, kind, frozenset(), tuple(groups), orjson.dumps(described))
    raise InvalidRequest.field("caller", "is not as a server describes a caller")
