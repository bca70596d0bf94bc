import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import dataset_pb2 as _dataset_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimelineKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMELINE_KIND_UNSPECIFIED: _ClassVar[TimelineKind]
    TIMELINE_KIND_ASKED: _ClassVar[TimelineKind]
    TIMELINE_KIND_TOLD: _ClassVar[TimelineKind]
    TIMELINE_KIND_REVIEWED: _ClassVar[TimelineKind]
    TIMELINE_KIND_SENT_BACK: _ClassVar[TimelineKind]
    TIMELINE_KIND_USED: _ClassVar[TimelineKind]
    TIMELINE_KIND_OUTCOME: _ClassVar[TimelineKind]
    TIMELINE_KIND_ENDED: _ClassVar[TimelineKind]
    TIMELINE_KIND_DENIAL_TAKEN_BACK: _ClassVar[TimelineKind]
    TIMELINE_KIND_REMINDED: _ClassVar[TimelineKind]

class OutcomeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_STATE_UNSPECIFIED: _ClassVar[OutcomeState]
    OUTCOME_STATE_SUCCEEDED: _ClassVar[OutcomeState]
    OUTCOME_STATE_FAILED: _ClassVar[OutcomeState]
    OUTCOME_STATE_UNKNOWN: _ClassVar[OutcomeState]

class ApprovalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APPROVAL_STATE_UNSPECIFIED: _ClassVar[ApprovalState]
    APPROVAL_STATE_PENDING: _ClassVar[ApprovalState]
    APPROVAL_STATE_APPROVED: _ClassVar[ApprovalState]
    APPROVAL_STATE_DENIED: _ClassVar[ApprovalState]
    APPROVAL_STATE_EXPIRED: _ClassVar[ApprovalState]
    APPROVAL_STATE_CONSUMED: _ClassVar[ApprovalState]
    APPROVAL_STATE_VOIDED: _ClassVar[ApprovalState]
    APPROVAL_STATE_CANCELLED: _ClassVar[ApprovalState]
    APPROVAL_STATE_REVOKED: _ClassVar[ApprovalState]

class ReviewChannel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_CHANNEL_UNSPECIFIED: _ClassVar[ReviewChannel]
    REVIEW_CHANNEL_API: _ClassVar[ReviewChannel]
    REVIEW_CHANNEL_WEB: _ClassVar[ReviewChannel]
    REVIEW_CHANNEL_SLACK: _ClassVar[ReviewChannel]
    REVIEW_CHANNEL_TEAMS: _ClassVar[ReviewChannel]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_APPROVE: _ClassVar[Verdict]
    VERDICT_DENY: _ClassVar[Verdict]
    VERDICT_CHANGES_REQUESTED: _ClassVar[Verdict]
TIMELINE_KIND_UNSPECIFIED: TimelineKind
TIMELINE_KIND_ASKED: TimelineKind
TIMELINE_KIND_TOLD: TimelineKind
TIMELINE_KIND_REVIEWED: TimelineKind
TIMELINE_KIND_SENT_BACK: TimelineKind
TIMELINE_KIND_USED: TimelineKind
TIMELINE_KIND_OUTCOME: TimelineKind
TIMELINE_KIND_ENDED: TimelineKind
TIMELINE_KIND_DENIAL_TAKEN_BACK: TimelineKind
TIMELINE_KIND_REMINDED: TimelineKind
OUTCOME_STATE_UNSPECIFIED: OutcomeState
OUTCOME_STATE_SUCCEEDED: OutcomeState
OUTCOME_STATE_FAILED: OutcomeState
OUTCOME_STATE_UNKNOWN: OutcomeState
APPROVAL_STATE_UNSPECIFIED: ApprovalState
APPROVAL_STATE_PENDING: ApprovalState
APPROVAL_STATE_APPROVED: ApprovalState
APPROVAL_STATE_DENIED: ApprovalState
APPROVAL_STATE_EXPIRED: ApprovalState
APPROVAL_STATE_CONSUMED: ApprovalState
APPROVAL_STATE_VOIDED: ApprovalState
APPROVAL_STATE_CANCELLED: ApprovalState
APPROVAL_STATE_REVOKED: ApprovalState
REVIEW_CHANNEL_UNSPECIFIED: ReviewChannel
REVIEW_CHANNEL_API: ReviewChannel
REVIEW_CHANNEL_WEB: ReviewChannel
REVIEW_CHANNEL_SLACK: ReviewChannel
REVIEW_CHANNEL_TEAMS: ReviewChannel
VERDICT_UNSPECIFIED: Verdict
VERDICT_APPROVE: Verdict
VERDICT_DENY: Verdict
VERDICT_CHANGES_REQUESTED: Verdict

class ListApprovalsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "asked_in_my_name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ASKED_IN_MY_NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: ApprovalState
    asked_in_my_name: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[ApprovalState, str]] = ..., asked_in_my_name: bool = ...) -> None: ...

class ListApprovalsResponse(_message.Message):
    __slots__ = ("approvals", "next_page_token")
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    approvals: _containers.RepeatedCompositeFieldContainer[Approval]
    next_page_token: str
    def __init__(self, approvals: _Optional[_Iterable[_Union[Approval, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetApprovalRequest(_message.Message):
    __slots__ = ("approval_id",)
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    def __init__(self, approval_id: _Optional[str] = ...) -> None: ...

class GetApprovalResponse(_message.Message):
    __slots__ = ("approval", "may_review", "may_not_review_because", "eligible", "last_approved", "notifications", "may_not_review_reason", "origins", "mask_forecast", "timeline", "page", "sent_back")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    MAY_REVIEW_FIELD_NUMBER: _ClassVar[int]
    MAY_NOT_REVIEW_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    LAST_APPROVED_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    MAY_NOT_REVIEW_REASON_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    MASK_FORECAST_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SENT_BACK_FIELD_NUMBER: _ClassVar[int]
    approval: Approval
    may_review: bool
    may_not_review_because: str
    eligible: _containers.RepeatedCompositeFieldContainer[EligibleReviewers]
    last_approved: Approval
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    may_not_review_reason: str
    origins: _containers.RepeatedCompositeFieldContainer[TagOrigin]
    mask_forecast: MaskForecast
    timeline: _containers.RepeatedCompositeFieldContainer[TimelineEntry]
    page: str
    sent_back: Approval
    def __init__(self, approval: _Optional[_Union[Approval, _Mapping]] = ..., may_review: bool = ..., may_not_review_because: _Optional[str] = ..., eligible: _Optional[_Iterable[_Union[EligibleReviewers, _Mapping]]] = ..., last_approved: _Optional[_Union[Approval, _Mapping]] = ..., notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., may_not_review_reason: _Optional[str] = ..., origins: _Optional[_Iterable[_Union[TagOrigin, _Mapping]]] = ..., mask_forecast: _Optional[_Union[MaskForecast, _Mapping]] = ..., timeline: _Optional[_Iterable[_Union[TimelineEntry, _Mapping]]] = ..., page: _Optional[str] = ..., sent_back: _Optional[_Union[Approval, _Mapping]] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("kind", "at", "who", "channel", "verdict", "state", "outcome", "event", "record_id", "told_in")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    TOLD_IN_FIELD_NUMBER: _ClassVar[int]
    kind: TimelineKind
    at: _timestamp_pb2.Timestamp
    who: str
    channel: ReviewChannel
    verdict: Verdict
    state: ApprovalState
    outcome: OutcomeState
    event: str
    record_id: str
    told_in: str
    def __init__(self, kind: _Optional[_Union[TimelineKind, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., who: _Optional[str] = ..., channel: _Optional[_Union[ReviewChannel, str]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., state: _Optional[_Union[ApprovalState, str]] = ..., outcome: _Optional[_Union[OutcomeState, str]] = ..., event: _Optional[str] = ..., record_id: _Optional[str] = ..., told_in: _Optional[str] = ...) -> None: ...

class TagOrigin(_message.Message):
    __slots__ = ("column", "tag", "said", "steps")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    column: str
    tag: str
    said: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.TagAssertion]
    steps: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.LineageStep]
    def __init__(self, column: _Optional[str] = ..., tag: _Optional[str] = ..., said: _Optional[_Iterable[_Union[_dataset_pb2.TagAssertion, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[_dataset_pb2.LineageStep, _Mapping]]] = ...) -> None: ...

class MaskForecast(_message.Message):
    __slots__ = ("state", "required_by", "columns", "policy_revision")
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_BY_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    state: str
    required_by: _containers.RepeatedScalarFieldContainer[str]
    columns: _containers.RepeatedCompositeFieldContainer[ColumnForecast]
    policy_revision: str
    def __init__(self, state: _Optional[str] = ..., required_by: _Optional[_Iterable[str]] = ..., columns: _Optional[_Iterable[_Union[ColumnForecast, _Mapping]]] = ..., policy_revision: _Optional[str] = ...) -> None: ...

class ColumnForecast(_message.Message):
    __slots__ = ("name", "mask", "domain", "rule", "problem")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    name: str
    mask: str
    domain: str
    rule: str
    problem: str
    def __init__(self, name: _Optional[str] = ..., mask: _Optional[str] = ..., domain: _Optional[str] = ..., rule: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class EligibleReviewers(_message.Message):
    __slots__ = ("rule", "identities", "open")
    RULE_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    rule: str
    identities: _containers.RepeatedScalarFieldContainer[str]
    open: bool
    def __init__(self, rule: _Optional[str] = ..., identities: _Optional[_Iterable[str]] = ..., open: bool = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("webhook", "event", "state", "attempts", "problem", "tried_at", "channel", "to")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    TRIED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    webhook: str
    event: str
    state: str
    attempts: int
    problem: str
    tried_at: _timestamp_pb2.Timestamp
    channel: str
    to: str
    def __init__(self, webhook: _Optional[str] = ..., event: _Optional[str] = ..., state: _Optional[str] = ..., attempts: _Optional[int] = ..., problem: _Optional[str] = ..., tried_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., channel: _Optional[str] = ..., to: _Optional[str] = ...) -> None: ...

class WaitApprovalRequest(_message.Message):
    __slots__ = ("approval_id", "known_state")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_STATE_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    known_state: ApprovalState
    def __init__(self, approval_id: _Optional[str] = ..., known_state: _Optional[_Union[ApprovalState, str]] = ...) -> None: ...

class WaitApprovalResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: Approval
    def __init__(self, approval: _Optional[_Union[Approval, _Mapping]] = ...) -> None: ...

class CancelApprovalRequest(_message.Message):
    __slots__ = ("approval_id", "reason")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    reason: str
    def __init__(self, approval_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelApprovalResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: Approval
    def __init__(self, approval: _Optional[_Union[Approval, _Mapping]] = ...) -> None: ...

class ReportOutcomeRequest(_message.Message):
    __slots__ = ("approval_id", "state", "detail")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    state: OutcomeState
    detail: str
    def __init__(self, approval_id: _Optional[str] = ..., state: _Optional[_Union[OutcomeState, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class ReportOutcomeResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: Approval
    def __init__(self, approval: _Optional[_Union[Approval, _Mapping]] = ...) -> None: ...

class Approval(_message.Message):
    __slots__ = ("approval_id", "state", "request", "request_digest", "caller", "justification", "requirements", "reviews", "requester_principals", "created_at", "expires_at", "closed_at", "decision_id", "policy_revision", "used_by_decision_id", "version", "closed_by", "close_reason", "supersedes", "outcome", "denied_until", "lineage", "earlier")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_PRINCIPALS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    USED_BY_DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CLOSED_BY_FIELD_NUMBER: _ClassVar[int]
    CLOSE_REASON_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DENIED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    state: ApprovalState
    request: _request_pb2.Request
    request_digest: str
    caller: str
    justification: str
    requirements: _containers.RepeatedCompositeFieldContainer[Requirement]
    reviews: _containers.RepeatedCompositeFieldContainer[ApprovalReview]
    requester_principals: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    decision_id: str
    policy_revision: str
    used_by_decision_id: str
    version: int
    closed_by: str
    close_reason: str
    supersedes: str
    outcome: Outcome
    denied_until: _timestamp_pb2.Timestamp
    lineage: ApprovalLineage
    earlier: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, approval_id: _Optional[str] = ..., state: _Optional[_Union[ApprovalState, str]] = ..., request: _Optional[_Union[_request_pb2.Request, _Mapping]] = ..., request_digest: _Optional[str] = ..., caller: _Optional[str] = ..., justification: _Optional[str] = ..., requirements: _Optional[_Iterable[_Union[Requirement, _Mapping]]] = ..., reviews: _Optional[_Iterable[_Union[ApprovalReview, _Mapping]]] = ..., requester_principals: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision_id: _Optional[str] = ..., policy_revision: _Optional[str] = ..., used_by_decision_id: _Optional[str] = ..., version: _Optional[int] = ..., closed_by: _Optional[str] = ..., close_reason: _Optional[str] = ..., supersedes: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, _Mapping]] = ..., denied_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lineage: _Optional[_Union[ApprovalLineage, _Mapping]] = ..., earlier: _Optional[_Iterable[str]] = ...) -> None: ...

class ApprovalLineage(_message.Message):
    __slots__ = ("state", "datasets", "tags", "new_tags", "columns", "coarse", "revision", "head", "digest", "truncated")
    STATE_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    NEW_TAGS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COARSE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    state: str
    datasets: _containers.RepeatedCompositeFieldContainer[ApprovalDataset]
    tags: _containers.RepeatedScalarFieldContainer[str]
    new_tags: _containers.RepeatedScalarFieldContainer[str]
    columns: _containers.RepeatedCompositeFieldContainer[ApprovalColumn]
    coarse: bool
    revision: int
    head: str
    digest: str
    truncated: bool
    def __init__(self, state: _Optional[str] = ..., datasets: _Optional[_Iterable[_Union[ApprovalDataset, _Mapping]]] = ..., tags: _Optional[_Iterable[str]] = ..., new_tags: _Optional[_Iterable[str]] = ..., columns: _Optional[_Iterable[_Union[ApprovalColumn, _Mapping]]] = ..., coarse: bool = ..., revision: _Optional[int] = ..., head: _Optional[str] = ..., digest: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class ApprovalDataset(_message.Message):
    __slots__ = ("namespace", "name")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ApprovalColumn(_message.Message):
    __slots__ = ("name", "tags", "new_tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    NEW_TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    new_tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., new_tags: _Optional[_Iterable[str]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("state", "detail", "reported_at", "late")
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    state: OutcomeState
    detail: str
    reported_at: _timestamp_pb2.Timestamp
    late: bool
    def __init__(self, state: _Optional[_Union[OutcomeState, str]] = ..., detail: _Optional[str] = ..., reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., late: bool = ...) -> None: ...

class Requirement(_message.Message):
    __slots__ = ("rule", "reason", "groups", "identities", "count", "pending_for", "valid_for", "approved", "claims", "individual", "summary", "individual_every", "unmask_values", "channels", "passkey", "remind")
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FOR_FIELD_NUMBER: _ClassVar[int]
    VALID_FOR_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    INDIVIDUAL_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    INDIVIDUAL_EVERY_FIELD_NUMBER: _ClassVar[int]
    UNMASK_VALUES_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PASSKEY_FIELD_NUMBER: _ClassVar[int]
    REMIND_FIELD_NUMBER: _ClassVar[int]
    rule: str
    reason: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    identities: _containers.RepeatedScalarFieldContainer[str]
    count: int
    pending_for: _duration_pb2.Duration
    valid_for: _duration_pb2.Duration
    approved: int
    claims: _struct_pb2.Struct
    individual: bool
    summary: _containers.RepeatedScalarFieldContainer[str]
    individual_every: _duration_pb2.Duration
    unmask_values: int
    channels: _containers.RepeatedScalarFieldContainer[ReviewChannel]
    passkey: bool
    remind: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    def __init__(self, rule: _Optional[str] = ..., reason: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., identities: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ..., pending_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., valid_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., approved: _Optional[int] = ..., claims: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., individual: bool = ..., summary: _Optional[_Iterable[str]] = ..., individual_every: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., unmask_values: _Optional[int] = ..., channels: _Optional[_Iterable[_Union[ReviewChannel, str]]] = ..., passkey: bool = ..., remind: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ...) -> None: ...

class ApprovalReview(_message.Message):
    __slots__ = ("reviewer", "verdict", "reason", "reviewed_at", "rules", "policy_revision", "signature", "suggestion", "channel", "account", "view_digest", "passkey")
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_AT_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VIEW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PASSKEY_FIELD_NUMBER: _ClassVar[int]
    reviewer: str
    verdict: Verdict
    reason: str
    reviewed_at: _timestamp_pb2.Timestamp
    rules: _containers.RepeatedScalarFieldContainer[str]
    policy_revision: str
    signature: str
    suggestion: _request_pb2.Request
    channel: ReviewChannel
    account: str
    view_digest: str
    passkey: PasskeyAssertion
    def __init__(self, reviewer: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., reason: _Optional[str] = ..., reviewed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rules: _Optional[_Iterable[str]] = ..., policy_revision: _Optional[str] = ..., signature: _Optional[str] = ..., suggestion: _Optional[_Union[_request_pb2.Request, _Mapping]] = ..., channel: _Optional[_Union[ReviewChannel, str]] = ..., account: _Optional[str] = ..., view_digest: _Optional[str] = ..., passkey: _Optional[_Union[PasskeyAssertion, _Mapping]] = ...) -> None: ...

class PasskeyAssertion(_message.Message):
    __slots__ = ("credential_id", "statement", "authenticator_data", "client_data", "signature")
    CREDENTIAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATOR_DATA_FIELD_NUMBER: _ClassVar[int]
    CLIENT_DATA_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    credential_id: bytes
    statement: str
    authenticator_data: bytes
    client_data: bytes
    signature: bytes
    def __init__(self, credential_id: _Optional[bytes] = ..., statement: _Optional[str] = ..., authenticator_data: _Optional[bytes] = ..., client_data: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...
