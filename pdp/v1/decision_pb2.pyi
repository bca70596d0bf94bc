import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import approval_pb2 as _approval_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchSemantics(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_SEMANTICS_UNSPECIFIED: _ClassVar[BatchSemantics]
    BATCH_SEMANTICS_EXECUTE_ALL: _ClassVar[BatchSemantics]
    BATCH_SEMANTICS_DENY_ON_FIRST_DENY: _ClassVar[BatchSemantics]
    BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT: _ClassVar[BatchSemantics]
BATCH_SEMANTICS_UNSPECIFIED: BatchSemantics
BATCH_SEMANTICS_EXECUTE_ALL: BatchSemantics
BATCH_SEMANTICS_DENY_ON_FIRST_DENY: BatchSemantics
BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT: BatchSemantics

class AuthorizeRequest(_message.Message):
    __slots__ = ("subject", "on_behalf_of", "action", "resource", "context", "request_id", "approval_id", "justification", "dry_run", "explain", "want_grant", "supersedes", "attempt_id", "context_json", "expected_digest", "lineage_at_least")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    WANT_GRANT_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    subject: _request_pb2.Subject
    on_behalf_of: _containers.RepeatedCompositeFieldContainer[_request_pb2.Subject]
    action: _request_pb2.Action
    resource: _request_pb2.Resource
    context: _struct_pb2.Struct
    request_id: str
    approval_id: str
    justification: str
    dry_run: bool
    explain: bool
    want_grant: bool
    supersedes: str
    attempt_id: str
    context_json: str
    expected_digest: str
    lineage_at_least: int
    def __init__(self, subject: _Optional[_Union[_request_pb2.Subject, _Mapping]] = ..., on_behalf_of: _Optional[_Iterable[_Union[_request_pb2.Subject, _Mapping]]] = ..., action: _Optional[_Union[_request_pb2.Action, _Mapping]] = ..., resource: _Optional[_Union[_request_pb2.Resource, _Mapping]] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., request_id: _Optional[str] = ..., approval_id: _Optional[str] = ..., justification: _Optional[str] = ..., dry_run: bool = ..., explain: bool = ..., want_grant: bool = ..., supersedes: _Optional[str] = ..., attempt_id: _Optional[str] = ..., context_json: _Optional[str] = ..., expected_digest: _Optional[str] = ..., lineage_at_least: _Optional[int] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("decision_id", "effect", "reasons", "obligations", "policy_revision", "request_digest", "on_behalf_of", "approval", "grant", "fired", "dry_run", "withheld")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    effect: _request_pb2.Effect
    reasons: _containers.RepeatedCompositeFieldContainer[_request_pb2.Reason]
    obligations: _containers.RepeatedCompositeFieldContainer[Obligation]
    policy_revision: str
    request_digest: str
    on_behalf_of: _containers.RepeatedCompositeFieldContainer[_request_pb2.Subject]
    approval: _approval_pb2.Approval
    grant: str
    fired: Fired
    dry_run: bool
    withheld: bool
    def __init__(self, decision_id: _Optional[str] = ..., effect: _Optional[_Union[_request_pb2.Effect, str]] = ..., reasons: _Optional[_Iterable[_Union[_request_pb2.Reason, _Mapping]]] = ..., obligations: _Optional[_Iterable[_Union[Obligation, _Mapping]]] = ..., policy_revision: _Optional[str] = ..., request_digest: _Optional[str] = ..., on_behalf_of: _Optional[_Iterable[_Union[_request_pb2.Subject, _Mapping]]] = ..., approval: _Optional[_Union[_approval_pb2.Approval, _Mapping]] = ..., grant: _Optional[str] = ..., fired: _Optional[_Union[Fired, _Mapping]] = ..., dry_run: bool = ..., withheld: bool = ...) -> None: ...

class Obligation(_message.Message):
    __slots__ = ("rule", "reason", "type", "properties")
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    rule: str
    reason: str
    type: str
    properties: _struct_pb2.Struct
    def __init__(self, rule: _Optional[str] = ..., reason: _Optional[str] = ..., type: _Optional[str] = ..., properties: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Fired(_message.Message):
    __slots__ = ("deny", "needs_approval", "allow", "obligation")
    DENY_FIELD_NUMBER: _ClassVar[int]
    NEEDS_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    OBLIGATION_FIELD_NUMBER: _ClassVar[int]
    deny: _containers.RepeatedCompositeFieldContainer[_request_pb2.Reason]
    needs_approval: _containers.RepeatedCompositeFieldContainer[_request_pb2.Reason]
    allow: _containers.RepeatedCompositeFieldContainer[_request_pb2.Reason]
    obligation: _containers.RepeatedCompositeFieldContainer[_request_pb2.Reason]
    def __init__(self, deny: _Optional[_Iterable[_Union[_request_pb2.Reason, _Mapping]]] = ..., needs_approval: _Optional[_Iterable[_Union[_request_pb2.Reason, _Mapping]]] = ..., allow: _Optional[_Iterable[_Union[_request_pb2.Reason, _Mapping]]] = ..., obligation: _Optional[_Iterable[_Union[_request_pb2.Reason, _Mapping]]] = ...) -> None: ...

class BatchAuthorizeRequest(_message.Message):
    __slots__ = ("defaults", "items", "semantics")
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_FIELD_NUMBER: _ClassVar[int]
    defaults: AuthorizeRequest
    items: _containers.RepeatedCompositeFieldContainer[AuthorizeRequest]
    semantics: BatchSemantics
    def __init__(self, defaults: _Optional[_Union[AuthorizeRequest, _Mapping]] = ..., items: _Optional[_Iterable[_Union[AuthorizeRequest, _Mapping]]] = ..., semantics: _Optional[_Union[BatchSemantics, str]] = ...) -> None: ...

class BatchAuthorizeResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchAuthorizeResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchAuthorizeResult, _Mapping]]] = ...) -> None: ...

class StreamAuthorizeRequest(_message.Message):
    __slots__ = ("id", "defaults", "items", "semantics", "timeout")
    ID_FIELD_NUMBER: _ClassVar[int]
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    id: str
    defaults: AuthorizeRequest
    items: _containers.RepeatedCompositeFieldContainer[AuthorizeRequest]
    semantics: BatchSemantics
    timeout: _duration_pb2.Duration
    def __init__(self, id: _Optional[str] = ..., defaults: _Optional[_Union[AuthorizeRequest, _Mapping]] = ..., items: _Optional[_Iterable[_Union[AuthorizeRequest, _Mapping]]] = ..., semantics: _Optional[_Union[BatchSemantics, str]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamAuthorizeResponse(_message.Message):
    __slots__ = ("id", "results", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    results: _containers.RepeatedCompositeFieldContainer[BatchAuthorizeResult]
    error: ItemError
    def __init__(self, id: _Optional[str] = ..., results: _Optional[_Iterable[_Union[BatchAuthorizeResult, _Mapping]]] = ..., error: _Optional[_Union[ItemError, _Mapping]] = ...) -> None: ...

class BatchAuthorizeResult(_message.Message):
    __slots__ = ("decision", "error")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decision: AuthorizeResponse
    error: ItemError
    def __init__(self, decision: _Optional[_Union[AuthorizeResponse, _Mapping]] = ..., error: _Optional[_Union[ItemError, _Mapping]] = ...) -> None: ...

class ItemError(_message.Message):
    __slots__ = ("code", "reason", "message", "field_violations", "metadata", "domain", "retry_delay")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    code: str
    reason: str
    message: str
    field_violations: _containers.RepeatedCompositeFieldContainer[FieldViolation]
    metadata: _containers.ScalarMap[str, str]
    domain: str
    retry_delay: _duration_pb2.Duration
    def __init__(self, code: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., field_violations: _Optional[_Iterable[_Union[FieldViolation, _Mapping]]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., domain: _Optional[str] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FieldViolation(_message.Message):
    __slots__ = ("field", "description")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    description: str
    def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class GetDecisionRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class GetDecisionResponse(_message.Message):
    __slots__ = ("decision", "request", "recorded_at", "record_id")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    decision: AuthorizeResponse
    request: _request_pb2.Request
    recorded_at: _timestamp_pb2.Timestamp
    record_id: str
    def __init__(self, decision: _Optional[_Union[AuthorizeResponse, _Mapping]] = ..., request: _Optional[_Union[_request_pb2.Request, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_id: _Optional[str] = ...) -> None: ...
