from pdp.v1 import approval_pb2 as _approval_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListQueueRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "action", "resource_type", "caller", "person", "group", "mine_only")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    MINE_ONLY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    action: str
    resource_type: str
    caller: str
    person: str
    group: str
    mine_only: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., action: _Optional[str] = ..., resource_type: _Optional[str] = ..., caller: _Optional[str] = ..., person: _Optional[str] = ..., group: _Optional[str] = ..., mine_only: bool = ...) -> None: ...

class ListQueueResponse(_message.Message):
    __slots__ = ("approvals", "next_page_token")
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    approvals: _containers.RepeatedCompositeFieldContainer[_approval_pb2.Approval]
    next_page_token: str
    def __init__(self, approvals: _Optional[_Iterable[_Union[_approval_pb2.Approval, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReviewRequest(_message.Message):
    __slots__ = ("approval_id", "expected_digest", "verdict", "reason", "suggestion", "expected_version", "together", "expected_lineage", "passkey")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOGETHER_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_LINEAGE_FIELD_NUMBER: _ClassVar[int]
    PASSKEY_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    expected_digest: str
    verdict: _approval_pb2.Verdict
    reason: str
    suggestion: _request_pb2.Request
    expected_version: int
    together: bool
    expected_lineage: str
    passkey: _approval_pb2.PasskeyAssertion
    def __init__(self, approval_id: _Optional[str] = ..., expected_digest: _Optional[str] = ..., verdict: _Optional[_Union[_approval_pb2.Verdict, str]] = ..., reason: _Optional[str] = ..., suggestion: _Optional[_Union[_request_pb2.Request, _Mapping]] = ..., expected_version: _Optional[int] = ..., together: bool = ..., expected_lineage: _Optional[str] = ..., passkey: _Optional[_Union[_approval_pb2.PasskeyAssertion, _Mapping]] = ...) -> None: ...

class BeginReviewRequest(_message.Message):
    __slots__ = ("approval_id", "expected_digest", "verdict", "reason", "expected_version", "expected_lineage")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_LINEAGE_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    expected_digest: str
    verdict: _approval_pb2.Verdict
    reason: str
    expected_version: int
    expected_lineage: str
    def __init__(self, approval_id: _Optional[str] = ..., expected_digest: _Optional[str] = ..., verdict: _Optional[_Union[_approval_pb2.Verdict, str]] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ..., expected_lineage: _Optional[str] = ...) -> None: ...

class BeginReviewResponse(_message.Message):
    __slots__ = ("statement", "nonce", "credential_ids")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_IDS_FIELD_NUMBER: _ClassVar[int]
    statement: str
    nonce: str
    credential_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, statement: _Optional[str] = ..., nonce: _Optional[str] = ..., credential_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ReviewResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: _approval_pb2.Approval
    def __init__(self, approval: _Optional[_Union[_approval_pb2.Approval, _Mapping]] = ...) -> None: ...

class WatchQueueRequest(_message.Message):
    __slots__ = ("resume_token", "changes_only")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGES_ONLY_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    changes_only: bool
    def __init__(self, resume_token: _Optional[str] = ..., changes_only: bool = ...) -> None: ...

class WatchQueueResponse(_message.Message):
    __slots__ = ("approval", "may_review", "resume_token")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    MAY_REVIEW_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    approval: _approval_pb2.Approval
    may_review: bool
    resume_token: str
    def __init__(self, approval: _Optional[_Union[_approval_pb2.Approval, _Mapping]] = ..., may_review: bool = ..., resume_token: _Optional[str] = ...) -> None: ...

class RevokeApprovalRequest(_message.Message):
    __slots__ = ("approval_id", "reason")
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    reason: str
    def __init__(self, approval_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RevokeApprovalResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: _approval_pb2.Approval
    def __init__(self, approval: _Optional[_Union[_approval_pb2.Approval, _Mapping]] = ...) -> None: ...

class ListHistoryRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "caller", "action", "resource_type", "asked_in_my_name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ASKED_IN_MY_NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: _approval_pb2.ApprovalState
    caller: str
    action: str
    resource_type: str
    asked_in_my_name: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[_approval_pb2.ApprovalState, str]] = ..., caller: _Optional[str] = ..., action: _Optional[str] = ..., resource_type: _Optional[str] = ..., asked_in_my_name: bool = ...) -> None: ...

class ListHistoryResponse(_message.Message):
    __slots__ = ("approvals", "next_page_token")
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    approvals: _containers.RepeatedCompositeFieldContainer[_approval_pb2.Approval]
    next_page_token: str
    def __init__(self, approvals: _Optional[_Iterable[_Union[_approval_pb2.Approval, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class TakeBackDenialRequest(_message.Message):
    __slots__ = ("approval_id",)
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    approval_id: str
    def __init__(self, approval_id: _Optional[str] = ...) -> None: ...

class TakeBackDenialResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: _approval_pb2.Approval
    def __init__(self, approval: _Optional[_Union[_approval_pb2.Approval, _Mapping]] = ...) -> None: ...
