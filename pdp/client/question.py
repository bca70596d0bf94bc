"""A question in Python's words becomes the contract's message."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from google.protobuf.struct_pb2 import Struct

from pdp.client.json_value import json_value
from pdp.text import resembles_json
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Action, Resource, Subject


class Said(TypedDict, total=False):
    """What a program may say of a question beside subject, action and resource; `Client.authorize` says what it is."""

    on_behalf_of: Sequence[str]
    properties: Mapping[str, Any] | None
    context: Mapping[str, Any] | None
    request_id: str
    approval_id: str
    justification: str
    dry_run: bool
    explain: bool
    want_grant: bool


def asked(subject: str, action: str, resource: str, **said: Unpack[Said]) -> AuthorizeRequest:
    """The same, with all that may be said of it."""
    chain, properties, context = said.get("on_behalf_of", ()), said.get("properties"), said.get("context")
    request = question(subject, action, resource, on_behalf_of=chain, properties=properties, context=context)
    request.request_id, request.approval_id = said.get("request_id", ""), said.get("approval_id", "")
    request.justification, request.dry_run = said.get("justification", ""), said.get("dry_run", False)
    request.explain, request.want_grant = said.get("explain", False), said.get("want_grant", False)
    return request


def question(
    subject: str,
    action: str,
    resource: str,
    *,
    on_behalf_of: Sequence[str] = (),
    properties: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
) -> AuthorizeRequest:
    """May `subject` do `action` to `resource`? Both are `<type>:<id>`; `properties` are the resource's.

    `ValueError` or `TypeError` where an argument cannot be sent.
    """
    if isinstance(on_behalf_of, str):
        raise TypeError("on_behalf_of takes a list of <type>:<id>")
    kind, identifier = _typed(resource)
    return AuthorizeRequest(
        subject=_subject(subject),
        on_behalf_of=[_subject(principal) for principal in on_behalf_of],
        action=Action(name=action),
        resource=Resource(type=kind, id=identifier, properties=struct(properties, "properties")),
        context=struct(context, "context"),
    )


def struct(members: Mapping[str, Any] | None, name: str) -> Struct | None:
    """Members as they travel, in their JSON forms. `ValueError`, which names them by `name`, where they have none.

    Text that begins like JSON was meant as a list or an object, unless it is `Text`.
    """
    if members is None:
        return None
    members = {member: json_value(value, f"{name}.{member}") for member, value in members.items()}
    for member, value in members.items():
        if isinstance(value, str) and resembles_json(value):
            raise ValueError(
                f"{name}.{member} is text that begins like JSON, so a policy would see neither list nor object; "
                "give the list or object itself, or Text(...) of pdp.client for what is text"
            )
    held = Struct()
    try:
        held.update(members)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{name} must hold nothing but what JSON can: {error}") from None
    return held


def _subject(text: str) -> Subject:
    kind, identifier = _typed(text)
    return Subject(type=kind, id=identifier)


def _typed(text: str) -> tuple[str, str]:
    kind, colon, identifier = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is not <type>:<id>")
    return kind, identifier
