import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListRecordsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "effect", "approval_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: str
    effect: _request_pb2.Effect
    approval_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[str] = ..., effect: _Optional[_Union[_request_pb2.Effect, str]] = ..., approval_id: _Optional[str] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[RecordSummary]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[RecordSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordSummary(_message.Message):
    __slots__ = ("record_id", "kind", "recorded_at", "effect", "rules", "policy_revision", "approval_id", "withheld")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    kind: str
    recorded_at: _timestamp_pb2.Timestamp
    effect: _request_pb2.Effect
    rules: _containers.RepeatedScalarFieldContainer[str]
    policy_revision: str
    approval_id: str
    withheld: bool
    def __init__(self, record_id: _Optional[str] = ..., kind: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., effect: _Optional[_Union[_request_pb2.Effect, str]] = ..., rules: _Optional[_Iterable[str]] = ..., policy_revision: _Optional[str] = ..., approval_id: _Optional[str] = ..., withheld: bool = ...) -> None: ...

class GetRecordRequest(_message.Message):
    __slots__ = ("record_id",)
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    def __init__(self, record_id: _Optional[str] = ...) -> None: ...

class GetRecordResponse(_message.Message):
    __slots__ = ("summary", "record", "payload", "salt", "writer", "seq", "index")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    summary: RecordSummary
    record: bytes
    payload: bytes
    salt: bytes
    writer: bytes
    seq: int
    index: int
    def __init__(self, summary: _Optional[_Union[RecordSummary, _Mapping]] = ..., record: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., writer: _Optional[bytes] = ..., seq: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class ExportRecordsRequest(_message.Message):
    __slots__ = ("after", "writers", "newest_only")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    WRITERS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_ONLY_FIELD_NUMBER: _ClassVar[int]
    after: _containers.RepeatedCompositeFieldContainer[WriterPlace]
    writers: _containers.RepeatedScalarFieldContainer[bytes]
    newest_only: bool
    def __init__(self, after: _Optional[_Iterable[_Union[WriterPlace, _Mapping]]] = ..., writers: _Optional[_Iterable[bytes]] = ..., newest_only: bool = ...) -> None: ...

class WriterPlace(_message.Message):
    __slots__ = ("writer", "seq")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    writer: bytes
    seq: int
    def __init__(self, writer: _Optional[bytes] = ..., seq: _Optional[int] = ...) -> None: ...

class ExportRecordsResponse(_message.Message):
    __slots__ = ("batches",)
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[Batch]
    def __init__(self, batches: _Optional[_Iterable[_Union[Batch, _Mapping]]] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("writer", "seq", "prev", "head", "signature", "records", "payloads", "leaves")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    writer: bytes
    seq: int
    prev: bytes
    head: bytes
    signature: bytes
    records: _containers.RepeatedScalarFieldContainer[bytes]
    payloads: _containers.RepeatedCompositeFieldContainer[Payload]
    leaves: bytes
    def __init__(self, writer: _Optional[bytes] = ..., seq: _Optional[int] = ..., prev: _Optional[bytes] = ..., head: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., records: _Optional[_Iterable[bytes]] = ..., payloads: _Optional[_Iterable[_Union[Payload, _Mapping]]] = ..., leaves: _Optional[bytes] = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("salt", "payload")
    SALT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    salt: bytes
    payload: bytes
    def __init__(self, salt: _Optional[bytes] = ..., payload: _Optional[bytes] = ...) -> None: ...

class SeenBatch(_message.Message):
    __slots__ = ("writer", "seq", "head")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    writer: bytes
    seq: int
    head: bytes
    def __init__(self, writer: _Optional[bytes] = ..., seq: _Optional[int] = ..., head: _Optional[bytes] = ...) -> None: ...

class AcceptGapRequest(_message.Message):
    __slots__ = ("old", "new", "reason")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    old: _containers.RepeatedCompositeFieldContainer[SeenBatch]
    new: _containers.RepeatedCompositeFieldContainer[SeenBatch]
    reason: str
    def __init__(self, old: _Optional[_Iterable[_Union[SeenBatch, _Mapping]]] = ..., new: _Optional[_Iterable[_Union[SeenBatch, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class AcceptGapResponse(_message.Message):
    __slots__ = ("record_id", "lost")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    lost: _containers.RepeatedCompositeFieldContainer[SeenBatch]
    def __init__(self, record_id: _Optional[str] = ..., lost: _Optional[_Iterable[_Union[SeenBatch, _Mapping]]] = ...) -> None: ...
