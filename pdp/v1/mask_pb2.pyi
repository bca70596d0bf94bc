import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import decision_pb2 as _decision_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MaskScope(_message.Message):
    __slots__ = ("subject", "on_behalf_of", "table", "context", "request_id", "approval_id", "justification", "masked_key_version", "attempt_id", "context_json", "expected_digest", "lineage_at_least")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    MASKED_KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    subject: _request_pb2.Subject
    on_behalf_of: _containers.RepeatedCompositeFieldContainer[_request_pb2.Subject]
    table: str
    context: _struct_pb2.Struct
    request_id: str
    approval_id: str
    justification: str
    masked_key_version: int
    attempt_id: str
    context_json: str
    expected_digest: str
    lineage_at_least: int
    def __init__(self, subject: _Optional[_Union[_request_pb2.Subject, _Mapping]] = ..., on_behalf_of: _Optional[_Iterable[_Union[_request_pb2.Subject, _Mapping]]] = ..., table: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., request_id: _Optional[str] = ..., approval_id: _Optional[str] = ..., justification: _Optional[str] = ..., masked_key_version: _Optional[int] = ..., attempt_id: _Optional[str] = ..., context_json: _Optional[str] = ..., expected_digest: _Optional[str] = ..., lineage_at_least: _Optional[int] = ...) -> None: ...

class MaskData(_message.Message):
    __slots__ = ("arrow_stream", "records")
    ARROW_STREAM_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    arrow_stream: bytes
    records: JsonRecords
    def __init__(self, arrow_stream: _Optional[bytes] = ..., records: _Optional[_Union[JsonRecords, _Mapping]] = ...) -> None: ...

class JsonRecords(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, records: _Optional[_Iterable[str]] = ...) -> None: ...

class MaskShape(_message.Message):
    __slots__ = ("arrow_schema", "record_paths")
    ARROW_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RECORD_PATHS_FIELD_NUMBER: _ClassVar[int]
    arrow_schema: bytes
    record_paths: RecordPaths
    def __init__(self, arrow_schema: _Optional[bytes] = ..., record_paths: _Optional[_Union[RecordPaths, _Mapping]] = ...) -> None: ...

class RecordPaths(_message.Message):
    __slots__ = ("paths",)
    PATHS_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, paths: _Optional[_Iterable[str]] = ...) -> None: ...

class MaskPlan(_message.Message):
    __slots__ = ("table", "subject", "policy_revision", "key_version", "expires_at", "columns", "output_schema")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    table: str
    subject: str
    policy_revision: str
    key_version: int
    expires_at: _timestamp_pb2.Timestamp
    columns: _containers.RepeatedCompositeFieldContainer[MaskedColumn]
    output_schema: bytes
    def __init__(self, table: _Optional[str] = ..., subject: _Optional[str] = ..., policy_revision: _Optional[str] = ..., key_version: _Optional[int] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., columns: _Optional[_Iterable[_Union[MaskedColumn, _Mapping]]] = ..., output_schema: _Optional[bytes] = ...) -> None: ...

class MaskedColumn(_message.Message):
    __slots__ = ("column", "rule", "mask", "domain", "key_version", "input_type", "output_type")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_TYPE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TYPE_FIELD_NUMBER: _ClassVar[int]
    column: str
    rule: str
    mask: str
    domain: str
    key_version: int
    input_type: str
    output_type: str
    def __init__(self, column: _Optional[str] = ..., rule: _Optional[str] = ..., mask: _Optional[str] = ..., domain: _Optional[str] = ..., key_version: _Optional[int] = ..., input_type: _Optional[str] = ..., output_type: _Optional[str] = ...) -> None: ...

class MaskRequest(_message.Message):
    __slots__ = ("scope", "data")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    scope: MaskScope
    data: MaskData
    def __init__(self, scope: _Optional[_Union[MaskScope, _Mapping]] = ..., data: _Optional[_Union[MaskData, _Mapping]] = ...) -> None: ...

class MaskResponse(_message.Message):
    __slots__ = ("decision", "plan", "data", "rows", "record_id")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: MaskPlan
    data: MaskData
    rows: int
    record_id: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[MaskPlan, _Mapping]] = ..., data: _Optional[_Union[MaskData, _Mapping]] = ..., rows: _Optional[int] = ..., record_id: _Optional[str] = ...) -> None: ...

class MaskStreamRequest(_message.Message):
    __slots__ = ("start", "arrow_message")
    START_FIELD_NUMBER: _ClassVar[int]
    ARROW_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    start: StreamStart
    arrow_message: bytes
    def __init__(self, start: _Optional[_Union[StreamStart, _Mapping]] = ..., arrow_message: _Optional[bytes] = ...) -> None: ...

class StreamStart(_message.Message):
    __slots__ = ("scope", "shape", "job")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    scope: MaskScope
    shape: MaskShape
    job: MaskJobPart
    def __init__(self, scope: _Optional[_Union[MaskScope, _Mapping]] = ..., shape: _Optional[_Union[MaskShape, _Mapping]] = ..., job: _Optional[_Union[MaskJobPart, _Mapping]] = ...) -> None: ...

class MaskJobPart(_message.Message):
    __slots__ = ("part", "attempt", "piece")
    PART_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    part: int
    attempt: int
    piece: int
    def __init__(self, part: _Optional[int] = ..., attempt: _Optional[int] = ..., piece: _Optional[int] = ...) -> None: ...

class MaskStreamResponse(_message.Message):
    __slots__ = ("opened", "arrow_message", "end")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ARROW_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    opened: StreamOpened
    arrow_message: bytes
    end: StreamEnd
    def __init__(self, opened: _Optional[_Union[StreamOpened, _Mapping]] = ..., arrow_message: _Optional[bytes] = ..., end: _Optional[_Union[StreamEnd, _Mapping]] = ...) -> None: ...

class StreamOpened(_message.Message):
    __slots__ = ("decision", "plan")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: MaskPlan
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[MaskPlan, _Mapping]] = ...) -> None: ...

class StreamEnd(_message.Message):
    __slots__ = ("rows", "record_id")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    rows: int
    record_id: str
    def __init__(self, rows: _Optional[int] = ..., record_id: _Optional[str] = ...) -> None: ...

class GetMaskPlanRequest(_message.Message):
    __slots__ = ("scope", "shape", "unmask", "columns")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    UNMASK_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    scope: MaskScope
    shape: MaskShape
    unmask: bool
    columns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[MaskScope, _Mapping]] = ..., shape: _Optional[_Union[MaskShape, _Mapping]] = ..., unmask: bool = ..., columns: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMaskPlanResponse(_message.Message):
    __slots__ = ("decision", "plan", "plan_json")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PLAN_JSON_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: MaskPlan
    plan_json: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[MaskPlan, _Mapping]] = ..., plan_json: _Optional[str] = ...) -> None: ...

class UnmaskRequest(_message.Message):
    __slots__ = ("scope", "data", "columns")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    scope: MaskScope
    data: MaskData
    columns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[MaskScope, _Mapping]] = ..., data: _Optional[_Union[MaskData, _Mapping]] = ..., columns: _Optional[_Iterable[str]] = ...) -> None: ...

class UnmaskResponse(_message.Message):
    __slots__ = ("decision", "plan", "data", "rows", "record_id")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: MaskPlan
    data: MaskData
    rows: int
    record_id: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[MaskPlan, _Mapping]] = ..., data: _Optional[_Union[MaskData, _Mapping]] = ..., rows: _Optional[int] = ..., record_id: _Optional[str] = ...) -> None: ...

class UnmaskStreamRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: UnmaskStreamStart
    chunk: UnmaskChunk
    def __init__(self, start: _Optional[_Union[UnmaskStreamStart, _Mapping]] = ..., chunk: _Optional[_Union[UnmaskChunk, _Mapping]] = ...) -> None: ...

class UnmaskStreamStart(_message.Message):
    __slots__ = ("scope", "shape", "columns", "domains", "chunks")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    scope: MaskScope
    shape: MaskShape
    columns: _containers.RepeatedScalarFieldContainer[str]
    domains: _containers.RepeatedScalarFieldContainer[str]
    chunks: _containers.RepeatedCompositeFieldContainer[UnmaskChunkEntry]
    def __init__(self, scope: _Optional[_Union[MaskScope, _Mapping]] = ..., shape: _Optional[_Union[MaskShape, _Mapping]] = ..., columns: _Optional[_Iterable[str]] = ..., domains: _Optional[_Iterable[str]] = ..., chunks: _Optional[_Iterable[_Union[UnmaskChunkEntry, _Mapping]]] = ...) -> None: ...

class UnmaskChunkEntry(_message.Message):
    __slots__ = ("rows", "values", "tokens_sha256")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TOKENS_SHA256_FIELD_NUMBER: _ClassVar[int]
    rows: int
    values: int
    tokens_sha256: bytes
    def __init__(self, rows: _Optional[int] = ..., values: _Optional[int] = ..., tokens_sha256: _Optional[bytes] = ...) -> None: ...

class UnmaskChunk(_message.Message):
    __slots__ = ("index", "arrow_messages")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ARROW_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    index: int
    arrow_messages: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, index: _Optional[int] = ..., arrow_messages: _Optional[_Iterable[bytes]] = ...) -> None: ...

class UnmaskStreamResponse(_message.Message):
    __slots__ = ("opened", "chunk", "end")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    opened: UnmaskStreamOpened
    chunk: UnmaskChunk
    end: UnmaskStreamEnd
    def __init__(self, opened: _Optional[_Union[UnmaskStreamOpened, _Mapping]] = ..., chunk: _Optional[_Union[UnmaskChunk, _Mapping]] = ..., end: _Optional[_Union[UnmaskStreamEnd, _Mapping]] = ...) -> None: ...

class UnmaskStreamOpened(_message.Message):
    __slots__ = ("decision", "plan", "next_chunk")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    NEXT_CHUNK_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    plan: MaskPlan
    next_chunk: int
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., plan: _Optional[_Union[MaskPlan, _Mapping]] = ..., next_chunk: _Optional[int] = ...) -> None: ...

class UnmaskStreamEnd(_message.Message):
    __slots__ = ("rows", "values", "chunks", "record_id")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    rows: int
    values: int
    chunks: int
    record_id: str
    def __init__(self, rows: _Optional[int] = ..., values: _Optional[int] = ..., chunks: _Optional[int] = ..., record_id: _Optional[str] = ...) -> None: ...

class RewrapRequest(_message.Message):
    __slots__ = ("start", "arrow_message")
    START_FIELD_NUMBER: _ClassVar[int]
    ARROW_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    start: StreamStart
    arrow_message: bytes
    def __init__(self, start: _Optional[_Union[StreamStart, _Mapping]] = ..., arrow_message: _Optional[bytes] = ...) -> None: ...

class RewrapResponse(_message.Message):
    __slots__ = ("opened", "arrow_message", "end")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ARROW_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    opened: StreamOpened
    arrow_message: bytes
    end: StreamEnd
    def __init__(self, opened: _Optional[_Union[StreamOpened, _Mapping]] = ..., arrow_message: _Optional[bytes] = ..., end: _Optional[_Union[StreamEnd, _Mapping]] = ...) -> None: ...
