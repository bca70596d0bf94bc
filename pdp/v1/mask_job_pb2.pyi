import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import approval_pb2 as _approval_pb2
from pdp.v1 import decision_pb2 as _decision_pb2
from pdp.v1 import mask_pb2 as _mask_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MaskKeysPlace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MASK_KEYS_PLACE_UNSPECIFIED: _ClassVar[MaskKeysPlace]
    MASK_KEYS_PLACE_SERVER: _ClassVar[MaskKeysPlace]
    MASK_KEYS_PLACE_EXECUTORS: _ClassVar[MaskKeysPlace]

class MaskJobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MASK_JOB_STATE_UNSPECIFIED: _ClassVar[MaskJobState]
    MASK_JOB_STATE_RUNNING: _ClassVar[MaskJobState]
    MASK_JOB_STATE_STOPPED: _ClassVar[MaskJobState]
    MASK_JOB_STATE_FINISHED: _ClassVar[MaskJobState]
MASK_KEYS_PLACE_UNSPECIFIED: MaskKeysPlace
MASK_KEYS_PLACE_SERVER: MaskKeysPlace
MASK_KEYS_PLACE_EXECUTORS: MaskKeysPlace
MASK_JOB_STATE_UNSPECIFIED: MaskJobState
MASK_JOB_STATE_RUNNING: MaskJobState
MASK_JOB_STATE_STOPPED: MaskJobState
MASK_JOB_STATE_FINISHED: MaskJobState

class StartMaskJobRequest(_message.Message):
    __slots__ = ("scope", "arrow_schema", "keys")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ARROW_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    scope: _mask_pb2.MaskScope
    arrow_schema: bytes
    keys: MaskKeysPlace
    def __init__(self, scope: _Optional[_Union[_mask_pb2.MaskScope, _Mapping]] = ..., arrow_schema: _Optional[bytes] = ..., keys: _Optional[_Union[MaskKeysPlace, str]] = ...) -> None: ...

class StartMaskJobResponse(_message.Message):
    __slots__ = ("decision", "plan", "plan_json", "job_id", "ticket", "expires_at", "plan_sha256", "ticket_key")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PLAN_JSON_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    PLAN_SHA256_FIELD_NUMBER: _ClassVar[int]
    TICKET_KEY_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: _mask_pb2.MaskPlan
    plan_json: str
    job_id: str
    ticket: str
    expires_at: _timestamp_pb2.Timestamp
    plan_sha256: str
    ticket_key: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[_mask_pb2.MaskPlan, _Mapping]] = ..., plan_json: _Optional[str] = ..., job_id: _Optional[str] = ..., ticket: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., plan_sha256: _Optional[str] = ..., ticket_key: _Optional[str] = ...) -> None: ...

class FinishMaskJobRequest(_message.Message):
    __slots__ = ("job_id", "outcome", "parts", "values", "thrown_away_rows", "thrown_away_attempts", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    THROWN_AWAY_ROWS_FIELD_NUMBER: _ClassVar[int]
    THROWN_AWAY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    outcome: _approval_pb2.OutcomeState
    parts: _containers.RepeatedCompositeFieldContainer[EndedPart]
    values: _containers.RepeatedCompositeFieldContainer[MaskedValues]
    thrown_away_rows: int
    thrown_away_attempts: int
    reason: str
    def __init__(self, job_id: _Optional[str] = ..., outcome: _Optional[_Union[_approval_pb2.OutcomeState, str]] = ..., parts: _Optional[_Iterable[_Union[EndedPart, _Mapping]]] = ..., values: _Optional[_Iterable[_Union[MaskedValues, _Mapping]]] = ..., thrown_away_rows: _Optional[int] = ..., thrown_away_attempts: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class EndedPart(_message.Message):
    __slots__ = ("part", "attempt", "rows")
    PART_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    part: int
    attempt: int
    rows: int
    def __init__(self, part: _Optional[int] = ..., attempt: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...

class MaskedValues(_message.Message):
    __slots__ = ("column", "values")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    column: str
    values: int
    def __init__(self, column: _Optional[str] = ..., values: _Optional[int] = ...) -> None: ...

class FinishMaskJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: MaskJob
    def __init__(self, job: _Optional[_Union[MaskJob, _Mapping]] = ...) -> None: ...

class CancelMaskJobRequest(_message.Message):
    __slots__ = ("job_id", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    reason: str
    def __init__(self, job_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelMaskJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: MaskJob
    def __init__(self, job: _Optional[_Union[MaskJob, _Mapping]] = ...) -> None: ...

class GetMaskJobRequest(_message.Message):
    __slots__ = ("job_id", "check")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    check: bool
    def __init__(self, job_id: _Optional[str] = ..., check: bool = ...) -> None: ...

class GetMaskJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: MaskJob
    def __init__(self, job: _Optional[_Union[MaskJob, _Mapping]] = ...) -> None: ...

class ListMaskJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: MaskJobState
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[MaskJobState, str]] = ...) -> None: ...

class ListMaskJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[MaskJob]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[MaskJob, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class MaskJob(_message.Message):
    __slots__ = ("job_id", "state", "caller", "subject", "table", "decision_id", "approval_id", "keys", "key_version", "started_at", "expires_at", "finished_at", "outcome", "why", "parts", "rows", "other_attempts", "other_rows", "values", "record_id", "plan_sha256", "destination")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OTHER_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_ROWS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_SHA256_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: MaskJobState
    caller: str
    subject: str
    table: str
    decision_id: str
    approval_id: str
    keys: MaskKeysPlace
    key_version: int
    started_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    outcome: _approval_pb2.OutcomeState
    why: str
    parts: int
    rows: int
    other_attempts: int
    other_rows: int
    values: _containers.RepeatedCompositeFieldContainer[MaskedValues]
    record_id: str
    plan_sha256: str
    destination: str
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[MaskJobState, str]] = ..., caller: _Optional[str] = ..., subject: _Optional[str] = ..., table: _Optional[str] = ..., decision_id: _Optional[str] = ..., approval_id: _Optional[str] = ..., keys: _Optional[_Union[MaskKeysPlace, str]] = ..., key_version: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[_approval_pb2.OutcomeState, str]] = ..., why: _Optional[str] = ..., parts: _Optional[int] = ..., rows: _Optional[int] = ..., other_attempts: _Optional[int] = ..., other_rows: _Optional[int] = ..., values: _Optional[_Iterable[_Union[MaskedValues, _Mapping]]] = ..., record_id: _Optional[str] = ..., plan_sha256: _Optional[str] = ..., destination: _Optional[str] = ...) -> None: ...
