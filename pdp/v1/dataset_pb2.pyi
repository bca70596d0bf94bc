import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LineageWay(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINEAGE_WAY_UNSPECIFIED: _ClassVar[LineageWay]
    LINEAGE_WAY_CARRY: _ClassVar[LineageWay]
    LINEAGE_WAY_INDIRECT: _ClassVar[LineageWay]
    LINEAGE_WAY_MASKED: _ClassVar[LineageWay]
    LINEAGE_WAY_STOPPED: _ClassVar[LineageWay]

class TagSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAG_SOURCE_UNSPECIFIED: _ClassVar[TagSource]
    TAG_SOURCE_PERSON: _ClassVar[TagSource]
    TAG_SOURCE_EVENT: _ClassVar[TagSource]
    TAG_SOURCE_POLICY: _ClassVar[TagSource]
    TAG_SOURCE_SUGGESTION: _ClassVar[TagSource]
LINEAGE_WAY_UNSPECIFIED: LineageWay
LINEAGE_WAY_CARRY: LineageWay
LINEAGE_WAY_INDIRECT: LineageWay
LINEAGE_WAY_MASKED: LineageWay
LINEAGE_WAY_STOPPED: LineageWay
TAG_SOURCE_UNSPECIFIED: TagSource
TAG_SOURCE_PERSON: TagSource
TAG_SOURCE_EVENT: TagSource
TAG_SOURCE_POLICY: TagSource
TAG_SOURCE_SUGGESTION: TagSource

class DatasetName(_message.Message):
    __slots__ = ("namespace", "name")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class TagAssertion(_message.Message):
    __slots__ = ("dataset", "column", "tag", "source", "by", "at", "reason", "confidence")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    dataset: DatasetName
    column: str
    tag: str
    source: TagSource
    by: str
    at: _timestamp_pb2.Timestamp
    reason: str
    confidence: float
    def __init__(self, dataset: _Optional[_Union[DatasetName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., source: _Optional[_Union[TagSource, str]] = ..., by: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class LineageStep(_message.Message):
    __slots__ = ("source", "source_column", "dataset", "column", "way", "how", "job_namespace", "job_name", "run", "by", "at", "coarse")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_COLUMN_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    JOB_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    COARSE_FIELD_NUMBER: _ClassVar[int]
    source: DatasetName
    source_column: str
    dataset: DatasetName
    column: str
    way: LineageWay
    how: str
    job_namespace: str
    job_name: str
    run: str
    by: str
    at: _timestamp_pb2.Timestamp
    coarse: bool
    def __init__(self, source: _Optional[_Union[DatasetName, _Mapping]] = ..., source_column: _Optional[str] = ..., dataset: _Optional[_Union[DatasetName, _Mapping]] = ..., column: _Optional[str] = ..., way: _Optional[_Union[LineageWay, str]] = ..., how: _Optional[str] = ..., job_namespace: _Optional[str] = ..., job_name: _Optional[str] = ..., run: _Optional[str] = ..., by: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., coarse: bool = ...) -> None: ...
