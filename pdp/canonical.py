"""Brings a request into canonical form: Request -> I-JSON -> RFC 8785 bytes -> digest.

One walk checks every limit of the contract and names the path of the field that breaks one. After it, no other code
checks the shape of a request again.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

import orjson
import rfc8785
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.unknown_fields import UnknownFieldSet

from pdp.bad_fields import MAX_NAMED, BadFields, Refused, joined, step
from pdp.errors import InvalidRequest
from pdp.frozen import frozen
from pdp.i_json import Reader
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Action, Request, Resource, Subject

MAX_REQUEST_BYTES = 32 * 1024
"""Bytes of one request, both as it is sent and in canonical form: a limit of the contract."""
MAX_CHAIN = 32
"""Members of `on_behalf_of`: a limit of the contract."""
MAX_ID_BYTES = 1024
"""Bytes of an id in UTF-8: a limit of the contract."""
MAX_TEXT_CHARACTERS = 2000
"""Characters of a free text for people, for example a justification: a limit of the contract."""
MAX_SHOWN_PATHS = 20
"""Paths that an error names: its details travel in HTTP trailers, of which clients accept 8 KiB."""

_JCS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
TOO_BIG = f"is larger than {MAX_REQUEST_BYTES} bytes; send a reference to large data instead of the data"
"""What is said of a request that is too large."""


@frozen
class Canonical:
    """A request in canonical form: its RFC 8785 bytes and their base64url digest under the realm.

    `members` is the request as Python's values: the schemas of a policy apply to parts of it.
    """

    json: bytes
    digest: str
    members: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def canonical(request: AuthorizeRequest | Request, realm: str) -> Canonical:
    """Check `request` and bring it into canonical form.

    Raises `InvalidRequest` with the paths of all fields that break a limit of the contract, at most 20.
    """
    _refuse_too_big(request)
    walk = _Walk()
    members = walk.members(request)
    walk.require_good()
    return bound(members, realm, plain=walk.plain)


def bound(members: Mapping[str, Any], realm: str, *, plain: bool) -> Canonical:
    """The canonical form of members that a walk has checked; `plain` is the walk's. Raises `InvalidRequest`."""
    encoded = jcs(members, plain=plain)
    if len(encoded) > MAX_REQUEST_BYTES:
        raise InvalidRequest.field("request", TOO_BIG)
    return Canonical(encoded, digest(encoded, realm), members)


def jcs(members: Mapping[str, Any], *, plain: bool) -> bytes:
    """The RFC 8785 bytes of I-JSON. `plain`: all keys are ASCII, whole numbers are integers, fractions are >= 1e-4."""
    return orjson.dumps(members, option=_JCS) if plain else rfc8785.dumps(dict(members))


def context_in_struct(request: AuthorizeRequest) -> AuthorizeRequest:
    """`request` itself, with a context that came as text in the Struct. Raises `InvalidRequest`."""
    if request.context_json:
        _refuse_too_big(request)
        walk = _Walk()
        members = walk.context(request)
        walk.require_good()
        request.ClearField("context_json")
        request.context.update(members)
    return request


def digest(encoded: bytes, realm: str) -> str:
    """The request digest of canonical bytes: base64url SHA-256 under `placet/v1` and the realm, unpadded."""
    hashed = hashlib.sha256(b"placet/v1\n" + realm.encode() + b"\n" + encoded).digest()
    return urlsafe_b64encode(hashed).rstrip(b"=").decode()


def request_of(encoded: bytes) -> Request:
    """The contract's message for canonical bytes."""
    return json_format.Parse(encoded, Request())


def kind(encoded: bytes) -> str:
    """The kind of a request: the action's name and the resource's type, separated by a line feed, which neither has."""
    members = orjson.loads(encoded)
    return f"{members['action']['name']}\n{members['resource']['type']}"


def differing_paths(left: bytes, right: bytes) -> list[str]:
    """The paths at which two canonical requests differ, sorted, without values.

    After the first 20 comes one text that says how many more there are.
    """
    paths = sorted(_differing(orjson.loads(left), orjson.loads(right), ""))
    more = len(paths) - MAX_SHOWN_PATHS
    return [*paths[:MAX_SHOWN_PATHS], f"and {more} more"] if more > 0 else paths


def checked_id(value: str, path: str) -> str:
    """`value`, if it has 1 to 1,024 bytes and no control characters. Else raises `InvalidRequest` for `path`."""
    if problem := _problem_of_id(value):
        raise InvalidRequest.field(path, problem)
    return value


def checked_text(value: str, path: str) -> str:
    """`value`, a free text for people, if it has at most 2,000 characters. Else raises `InvalidRequest` for `path`."""
    if len(value) > MAX_TEXT_CHARACTERS:
        raise InvalidRequest.field(path, f"has {len(value)} characters; at most {MAX_TEXT_CHARACTERS} are kept")
    return value


def refuse_unknown_fields(request: AuthorizeRequest | Request) -> None:
    """Raise `InvalidRequest` if the request has a field that this server does not know.

    Such a field could change what the caller means, so it must not be dropped.
    """
    known = type(request)()
    known.MergeFrom(request)  # type: ignore[arg-type]  # of the same type
    known.DiscardUnknownFields()
    if known.ByteSize() == request.ByteSize():
        return
    parts: list[tuple[str, Message]] = [
        ("request", request),
        ("subject", request.subject),
        ("action", request.action),
        ("resource", request.resource),
    ]
    parts += ((f"on_behalf_of[{index}]", subject) for index, subject in enumerate(request.on_behalf_of))
    with BadFields() as bad:
        for path, message in parts:
            bad.tried(refuse_unknown, message, path)
    raise InvalidRequest.field("request", "has an unknown field inside one of its values; leave it out")


def refuse_unknown(message: Message, path: str) -> None:
    """The same for the fields of one message, without the fields of its members."""
    unknown_fields: Iterable[Any] = UnknownFieldSet(message)  # type: ignore[assignment]  # the stubs lack upb
    if numbers := sorted({str(unknown.field_number) for unknown in unknown_fields})[:MAX_NAMED]:
        raise InvalidRequest.fields(
            [(path, f"has field number {one}, which this server does not know; leave it out") for one in numbers]
        )


class Walk(Reader):
    """One walk over a request, or over a part of it.

    `bad` are the fields that break a limit; where there are any, what it gives is not what the request has.
    """

    def __init__(self) -> None:
        super().__init__(MAX_REQUEST_BYTES)
        self.bad: list[tuple[str, str]] = []

    def require_good(self) -> None:
        """Raise `InvalidRequest` for the first bad fields, if there are any."""
        if self.bad:
            raise InvalidRequest.fields(self.bad[:MAX_NAMED])

    def identifier(self, value: str, path: str) -> str:
        """An id, or a name."""
        if problem := _problem_of_id(value):
            self.bad.append((path, problem))
        return value

    def subject_type(self, value: str, path: str) -> str:
        """The type of a subject, which ends before the first ":" of an identity."""
        self.identifier(value, path)
        if ":" in value:
            self.bad.append((path, 'contains ":", which ends the type in an identity'))
        return value

    def few(self, subjects: Sequence[Any], path: str) -> bool:
        """Whether a chain has as many members as it may."""
        if len(subjects) > MAX_CHAIN:
            self.bad.append((path, f"has more than {MAX_CHAIN} members"))
        return len(subjects) <= MAX_CHAIN


class _Walk(Walk):
    """The walk over the contract's message."""

    def members(self, request: AuthorizeRequest | Request) -> dict[str, Any]:
        return {
            "subject": self._subject(request.subject, "subject"),
            "on_behalf_of": self._chain(request.on_behalf_of),
            "action": {
                "name": self.identifier(request.action.name, "action.name"),
                "properties": self._properties(request.action, "action"),
            },
            "resource": {
                "type": self.identifier(request.resource.type, "resource.type"),
                "id": self.identifier(request.resource.id, "resource.id"),
                "properties": self._properties(request.resource, "resource"),
            },
            "context": self.context(request),
        }

    def _chain(self, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
        if not self.few(subjects, "on_behalf_of"):
            return []
        return [self._subject(subject, f"on_behalf_of[{index}]") for index, subject in enumerate(subjects)]

    def _subject(self, subject: Subject, path: str) -> dict[str, Any]:
        return {
            "type": self.subject_type(subject.type, f"{path}.type"),
            "id": self.identifier(subject.id, f"{path}.id"),
            "properties": self._properties(subject, path),
        }

    def context(self, request: AuthorizeRequest | Request) -> dict[str, Any]:
        if text := request.context_json:
            return self._text(request, "context", "context", text)
        return self._free(request.context, "context") if request.HasField("context") else {}

    def _properties(self, part: Subject | Action | Resource, path: str) -> dict[str, Any]:
        if text := part.properties_json:
            return self._text(part, "properties", f"{path}.properties", text)
        return self._free(part.properties, f"{path}.properties") if part.HasField("properties") else {}

    def _free(self, struct: Struct, path: str) -> dict[str, Any]:
        try:
            return self.struct(struct)
        except Refused as refused:
            self.bad += refused.within(path).fields
            return {}

    def _text(self, message: Message, name: str, path: str, text: str) -> dict[str, Any]:
        """Free attributes that came as text, and not in a Struct, too."""
        try:
            _require_alone(message, name)
            return self.text(text)
        except Refused as refused:
            self.bad += refused.within(f"{path}_json").fields
            return {}


def _refuse_too_big(request: AuthorizeRequest | Request) -> None:
    if request.ByteSize() > MAX_REQUEST_BYTES:
        raise InvalidRequest.field("request", TOO_BIG)


def _require_alone(message: Message, name: str) -> None:
    """Raise `Refused` where attributes that came as text came in a Struct, too, even in an empty one."""
    if message.HasField(name):
        raise Refused(f"stands beside `{name}`; send one of the two")


def _problem_of_id(value: str) -> str:
    """What is wrong with an id; empty for a good one."""
    if value.isascii() and value.isprintable() and 0 < len(value) <= MAX_ID_BYTES:
        return ""
    if not value:
        return "is required"
    if len(value.encode()) > MAX_ID_BYTES:
        return f"is longer than {MAX_ID_BYTES} bytes"
    return "contains a control character; remove it" if _CONTROL.search(value) else ""


def _differing(left: Any, right: Any, path: str) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in left.keys() | right.keys():
            inner = joined(path, step(key))
            if key in left and key in right:
                yield from _differing(left[key], right[key], inner)
            else:
                yield inner
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _differing(one, other, f"{path}[{index}]")
    elif left != right or type(left) is not type(right):  # 1 == True
        yield path
