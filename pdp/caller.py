"""Who calls, and the table that says which role may call which RPC."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from pdp.errors import NotAllowed
from pdp.v1.request_pb2 import Subject

if TYPE_CHECKING:
    from pdp.mask_ticket import Ticket


class Role(StrEnum):
    """What a caller may be; `ROLES` says which RPC each may call."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    LINEAGE_WRITER = "lineage_writer"
    STEWARD = "steward"


_REQUESTER = frozenset({Role.REQUESTER})
_REVIEWER = frozenset({Role.REVIEWER})
_AUDITOR = frozenset({Role.AUDITOR})
_WRITER = frozenset({Role.LINEAGE_WRITER})
_STEWARD = frozenset({Role.STEWARD})
_PERSON = _REQUESTER | _REVIEWER | _AUDITOR | _STEWARD
READS_LINEAGE = _REVIEWER | _AUDITOR | _STEWARD
"""Who reads lineage without being asked of the policy."""
_STEWARDS = ("Tag", "Classify", "Untag", "EndEdge", "Unlink", "Declassify", "SettleSuggestion")
_READ = ("ListTags", "ListSuggestions", "ListProblems", "GetCoverage")
_ASKED = ("GetLineage", "GetPath", "ExplainTag")

ROLES: Mapping[str, frozenset[Role]] = {
    "pdp.v1.DecisionService/Authorize": _REQUESTER,
    "pdp.v1.DecisionService/BatchAuthorize": _REQUESTER,
    "pdp.v1.DecisionService/StreamAuthorize": _REQUESTER,
    "pdp.v1.DecisionService/GetDecision": _REQUESTER,
    "pdp.v1.ApprovalService/ListApprovals": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/GetApproval": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/WaitApproval": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/CancelApproval": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/ReportOutcome": _REQUESTER,
    "pdp.v1.ReviewService/ListQueue": _REVIEWER,
    "pdp.v1.ReviewService/WatchQueue": _REVIEWER,
    "pdp.v1.ReviewService/RevokeApproval": _REVIEWER,
    "pdp.v1.ReviewService/Review": _REVIEWER,
    "pdp.v1.ReviewService/ListHistory": _REVIEWER,
    "pdp.v1.ReviewService/TakeBackDenial": _REVIEWER,
    "pdp.v1.ReviewService/BeginReview": _REVIEWER,
    "pdp.v1.PersonService/ListPasskeys": _PERSON,
    "pdp.v1.PersonService/RemovePasskey": _PERSON,
    "pdp.v1.PersonService/ListLinks": _PERSON,
    "pdp.v1.PersonService/RemoveLink": _PERSON,
    "pdp.v1.PersonService/GetPreferences": _PERSON,
    "pdp.v1.PersonService/SetPreferences": _PERSON,
    "pdp.v1.MaskService/Mask": _REQUESTER,
    "pdp.v1.MaskService/MaskStream": _REQUESTER,
    "pdp.v1.MaskService/GetMaskPlan": _REQUESTER,
    "pdp.v1.MaskService/Unmask": _REQUESTER,
    "pdp.v1.MaskService/UnmaskStream": _REQUESTER,
    "pdp.v1.MaskService/Rewrap": _REQUESTER,
    "pdp.v1.MaskJobService/StartMaskJob": _REQUESTER,
    "pdp.v1.MaskJobService/FinishMaskJob": _REQUESTER,
    "pdp.v1.MaskJobService/CancelMaskJob": _REQUESTER | _REVIEWER,
    "pdp.v1.MaskJobService/GetMaskJob": _REQUESTER | _REVIEWER | _AUDITOR,
    "pdp.v1.MaskJobService/ListMaskJobs": _REQUESTER | _REVIEWER | _AUDITOR,
    "pdp.v1.AuditService/ListRecords": _AUDITOR,
    "pdp.v1.AuditService/GetRecord": _AUDITOR,
    "pdp.v1.AuditService/ExportRecords": _AUDITOR,
    "pdp.v1.AuditService/AcceptGap": _AUDITOR,
    "pdp.v1.LineageService/Ingest": _WRITER,
    **{f"pdp.v1.LineageService/{name}": _STEWARD for name in _STEWARDS},
    **{f"pdp.v1.LineageService/{name}": READS_LINEAGE for name in _READ},
    **{f"pdp.v1.LineageService/{name}": READS_LINEAGE | _REQUESTER for name in _ASKED},
    "pdp.v1.LineageService/Suggest": _STEWARD | _WRITER,
    "pdp.v1.InfoService/GetServerInfo": frozenset(),
}
"""The roles that may call each RPC; one of them is enough. Only a person reviews, has passkeys, links
and preferences, accepts a gap of the log, or is a steward, with any roles."""
ANYONE = frozenset({"pdp.v1.InfoService/GetServerInfo"})
"""RPCs for every authenticated caller, without a role."""
TAKES_TICKETS = "pdp.v1.MaskService/MaskStream"
"""The one RPC that takes the ticket of a mask job."""
_OF_PEOPLE = ("pdp.v1.ReviewService/", "pdp.v1.PersonService/")
PERSONS_ONLY = frozenset(rpc for rpc in ROLES if rpc.startswith(_OF_PEOPLE)) | {
    "pdp.v1.AuditService/AcceptGap",
    *(f"pdp.v1.LineageService/{name}" for name in _STEWARDS),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated identity on the wire, and what its issuer's entry in the configuration lets it do."""

    identity: str
    kind: str
    roles: frozenset[Role]
    groups: tuple[str, ...]
    json: bytes = field(repr=False)
    """`{identity, kind, groups}` as the policy and the log read it."""
    may_ask_as: tuple[str, ...] = ()
    """Subjects that it may name beside itself: `<type>:<id>`, `<type>:*` or `*`."""
    may_act_for: tuple[str, ...] = ()
    """The same of those whom a chain may name."""
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The verified claims that the issuer's entry lists: texts, numbers, booleans and lists of them."""
    claims_elsewhere: tuple[str, ...] = ()
    """Claims that count here and that the token only refers to (`_claim_names`), so nothing of them counts."""
    expires_at: float = math.inf
    """When the credential ends, leeway included, in seconds since 1970."""
    vouched: tuple[tuple[str, str], ...] = ()
    """For whom its token says that it acts, as (type, id), outermost last: part of every chain that it sends."""
    requires_digest: bool = False
    """Whether each of its requests must say the digest that it expects of itself."""
    may_search: bool = False
    """Whether it may ask for all that is allowed, and not only whether one thing is."""
    ticket: "Ticket | None" = None
    """The ticket of a mask job that it came with: then it may stream parts of that job, and nothing else."""

    @classmethod
    def requester(cls, identity: str) -> "Caller":
        """The caller that opened an approval, as known when somebody else reviews it: only the identity counts then."""
        described = orjson.dumps({"identity": identity, "kind": "", "groups": []})
        return cls(identity, "", frozenset(), (), described)

    @property
    def is_person(self) -> bool:
        """Whether a person calls, and as itself: not through a token that says for whom it acts."""
        return self.kind == "person" and not self.vouched

    def may_call(self, rpc: str) -> None:
        """Raise `NotAllowed` unless the role table lets this caller call `rpc`."""
        if self.ticket is not None and rpc != TAKES_TICKETS:
            raise NotAllowed("ROLE_REQUIRED", f"the ticket of a mask job is for {TAKES_TICKETS} alone, not for {rpc}")
        if rpc not in ANYONE and not self.roles & ROLES[rpc]:
            wanted = " or ".join(sorted(ROLES[rpc]))
            raise NotAllowed("ROLE_REQUIRED", f"{self.identity} may not call {rpc}: it needs the role {wanted}")
        if rpc in PERSONS_ONLY and not self.is_person:
            raise NotAllowed("PERSON_REQUIRED", f"{self.identity} may not call {rpc}: only a person may, as itself")

    def can_call(self, rpc: str) -> bool:
        """Whether `may_call` lets this caller call `rpc`."""
        try:
            self.may_call(rpc)
        except NotAllowed:
            return False
        return True

    def require_search(self) -> None:
        """Raise `NotAllowed` unless the configuration lets this caller search."""
        if not self.may_search:
            raise NotAllowed("SEARCH_NOT_ALLOWED", f"{self.identity} may not search: its entry lacks may_search")

    def may_speak_for(self, subject: str, chain: Sequence[str]) -> None:
        """Raise `NotAllowed` unless the configuration or the token lets this caller name the subject and the chain."""
        if subject != self.identity and not _covered(subject, self.may_ask_as):
            raise NotAllowed("SUBJECT_NOT_ALLOWED", f"{self.identity} may not ask as another subject")
        known = {self.identity, *(f"{kind}:{identifier}" for kind, identifier in self.vouched)}
        for index, principal in enumerate(chain):
            if principal not in known and not _covered(principal, self.may_act_for):
                raise NotAllowed("SUBJECT_NOT_ALLOWED", f"{self.identity} may not act for on_behalf_of[{index}]")


def subject_of(identity: str) -> Subject:
    """The subject that a caller is itself."""
    kind, _, identifier = identity.partition(":")
    return Subject(type=kind, id=identifier)


def identity(subject: Subject) -> str:
    """The subject in writing: `<type>:<id>`."""
    return f"{subject.type}:{subject.id}"


def named(request: bytes) -> list[str]:
    """Those in whose name a request in canonical form asks: its subject, and the chain."""
    members = orjson.loads(request)
    return [f"{one['type']}:{one['id']}" for one in (members["subject"], *members["on_behalf_of"])]


def is_person(identity: str, person_types: Collection[str]) -> bool:
    """Whether an issuer of people (`kind: person`) vouches for identities of this type."""
    return identity.partition(":")[0] in person_types


def _covered(identity: str, patterns: Sequence[str]) -> bool:
    return any(
        pattern in ("*", identity) or (pattern.endswith(":*") and identity.startswith(pattern[:-1]))
        for pattern in patterns
    )
