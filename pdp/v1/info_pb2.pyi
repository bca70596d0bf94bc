from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "opa_version", "realm", "policy_revision", "jwks", "limits", "caller", "audit_jwks", "features", "inbox")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPA_VERSION_FIELD_NUMBER: _ClassVar[int]
    REALM_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    JWKS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    AUDIT_JWKS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    INBOX_FIELD_NUMBER: _ClassVar[int]
    version: str
    opa_version: str
    realm: str
    policy_revision: str
    jwks: str
    limits: Limits
    caller: CallerInfo
    audit_jwks: str
    features: _containers.RepeatedScalarFieldContainer[str]
    inbox: str
    def __init__(self, version: _Optional[str] = ..., opa_version: _Optional[str] = ..., realm: _Optional[str] = ..., policy_revision: _Optional[str] = ..., jwks: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., caller: _Optional[_Union[CallerInfo, _Mapping]] = ..., audit_jwks: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., inbox: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("message_bytes", "request_bytes", "batch_bytes", "batch_items", "nesting", "default_seconds", "mask_default_seconds", "max_seconds", "wait_seconds", "stream_seconds", "stream_idle_seconds")
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    BATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    BATCH_ITEMS_FIELD_NUMBER: _ClassVar[int]
    NESTING_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MASK_DEFAULT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STREAM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STREAM_IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    message_bytes: int
    request_bytes: int
    batch_bytes: int
    batch_items: int
    nesting: int
    default_seconds: float
    mask_default_seconds: float
    max_seconds: float
    wait_seconds: float
    stream_seconds: float
    stream_idle_seconds: float
    def __init__(self, message_bytes: _Optional[int] = ..., request_bytes: _Optional[int] = ..., batch_bytes: _Optional[int] = ..., batch_items: _Optional[int] = ..., nesting: _Optional[int] = ..., default_seconds: _Optional[float] = ..., mask_default_seconds: _Optional[float] = ..., max_seconds: _Optional[float] = ..., wait_seconds: _Optional[float] = ..., stream_seconds: _Optional[float] = ..., stream_idle_seconds: _Optional[float] = ...) -> None: ...

class CallerInfo(_message.Message):
    __slots__ = ("identity", "kind", "roles", "groups", "claims_elsewhere")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_ELSEWHERE_FIELD_NUMBER: _ClassVar[int]
    identity: str
    kind: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    claims_elsewhere: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, identity: _Optional[str] = ..., kind: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., claims_elsewhere: _Optional[_Iterable[str]] = ...) -> None: ...
