"""A question that came in AuthZEN's JSON, put together from its parts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pdp import access_request, canonical
from pdp.bad_fields import MAX_NAMED
from pdp.canonical import MAX_REQUEST_BYTES, Canonical
from pdp.errors import InvalidRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchSemantics
from pdp.v1.request_pb2 import Action, Resource, Subject

REGISTERED = ("notification", "session_termination", "step-up")
"""The types of obligations that the obligations profile registers, beside `custom`."""
CUSTOM = "custom"
"""The type that stands for each other obligation."""
REQUIRED = ("subject", "action", "resource")
"""The members that each question has."""
EXAMPLES: Mapping[str, str] = {
    "subject": '{"type": "user", "id": "alice"}',
    "action": '{"name": "read"}',
    "resource": '{"type": "table", "id": "customers"}',
    "context": '{"purpose": "audit"}',
    "properties": '{"tags": ["pii"]}',
    "options": '{"explain": true}',
}
"""What each member may look like, for errors about its shape."""
OPEN_APPROVAL = "open_approval"
"""The option with which an evaluation opens an approval, as it does over gRPC."""


def obligation_type(kind: str) -> str:
    """What an obligation of the policy is called outside: by its registered name, or `custom`."""
    return kind if kind in REGISTERED else CUSTOM


def required(name: str) -> str:
    """What is wrong with a question without this member."""
    return f"is required, such as {EXAMPLES[name]}"


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a question, read: its form in the canonical request, and what it takes of a request's room.

    `plain` is as in `canonical.bound`. `ignored` are the paths of members that nobody here knows. `supports` and
    `approval` are what a context says to the decision point.
    """

    members: Any
    weight: int = 0
    plain: bool = True
    ignored: tuple[str, ...] = ()
    supports: frozenset[str] = frozenset()
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """Placet's own switches of one question, or of all questions of a body."""

    texts: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    chain: Part | None = None
    semantics: BatchSemantics = BatchSemantics.BATCH_SEMANTICS_EXECUTE_ALL
    lineage_at_least: int = 0
    others: Mapping[str, Any] = field(default_factory=dict)
    """Options that only some routes know, as they came."""

    def over(self, defaults: "Options") -> "Options":
        """These, with the defaults where they say nothing. A flag that is true in the defaults is true for all."""
        return replace(
            self,
            texts={**defaults.texts, **self.texts},
            flags=self.flags | defaults.flags,
            chain=self.chain if self.chain and self.chain.members else defaults.chain,
            lineage_at_least=max(self.lineage_at_least, defaults.lineage_at_least),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it was sent.

    `request` has its names and switches; its attributes stand in `members`, the canonical form's, alone. `supports`
    are the types of obligations that the caller can fulfil. `opens` says that an approval may be opened.
    """

    request: AuthorizeRequest
    members: Mapping[str, Any]
    plain: bool
    supports: frozenset[str]
    opens: bool
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Mapping[str, Part], options: Options, ignored: Collection[str] = ()) -> Self:
        """The question of these parts. Raises `InvalidRequest` where one is missing, or all together are too large."""
        if missing := [name for name in REQUIRED if name not in parts]:
            raise InvalidRequest.fields([(name, required(name)) for name in missing])
        context, chain = parts.get("context") or Part({}), options.chain or Part([])
        every = (*(parts[name] for name in REQUIRED), context, chain)
        if sum(part.weight for part in every) > MAX_REQUEST_BYTES:
            raise InvalidRequest.field("request", canonical.TOO_BIG)
        members = {name: parts[name].members for name in REQUIRED}
        return cls(
            _request(members, chain.members, context.approval, options),
            {**members, "on_behalf_of": chain.members, "context": context.members},
            all(part.plain for part in every),
            context.supports,
            OPEN_APPROVAL in options.flags,
            (*ignored, *(path for part in every for path in part.ignored))[:MAX_NAMED],
        )

    def canonical(self, realm: str) -> Canonical:
        """Its canonical form. Raises `InvalidRequest` if that is too large."""
        return canonical.bound(self.members, realm, plain=self.plain)

    def joined(self, principals: Collection[tuple[str, str]]) -> Self:
        """The same with these (type, id) in its chain, too; itself if they stand there."""
        there = {(one["type"], one["id"]) for one in self.members["on_behalf_of"]}
        missing = [one for one in dict.fromkeys(principals) if one not in there]
        if not missing:
            return self
        request = AuthorizeRequest()
        request.CopyFrom(self.request)
        request.on_behalf_of.extend(Subject(type=kind, id=name) for kind, name in missing)
        added = [{"type": kind, "id": name, "properties": {}} for kind, name in missing]
        members = {**self.members, "on_behalf_of": [*self.members["on_behalf_of"], *added]}
        return replace(self, request=request, members=members)


def _request(members: Mapping[str, Any], chain: list[Any], approval: str, options: Options) -> AuthorizeRequest:
    switches: dict[str, Any] = {**options.texts, **dict.fromkeys(options.flags - {OPEN_APPROVAL}, True)}
    return AuthorizeRequest(
        subject=_named(members["subject"]),
        on_behalf_of=[_named(one) for one in chain],
        action=Action(name=members["action"]["name"]),
        resource=Resource(type=members["resource"]["type"], id=members["resource"]["id"]),
        lineage_at_least=options.lineage_at_least,
        approval_id="" if approval.startswith(access_request.PREFIX) else approval,
        **switches,
    )


def _named(subject: Mapping[str, Any]) -> Subject:
    return Subject(type=subject["type"], id=subject["id"])
