import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pdp.v1 import dataset_pb2 as _dataset_pb2
from pdp.v1 import decision_pb2 as _decision_pb2
from pdp.v1 import request_pb2 as _request_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LineageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINEAGE_STATE_UNSPECIFIED: _ClassVar[LineageState]
    LINEAGE_STATE_NONE: _ClassVar[LineageState]
    LINEAGE_STATE_UNKNOWN: _ClassVar[LineageState]
    LINEAGE_STATE_AMBIGUOUS: _ClassVar[LineageState]
    LINEAGE_STATE_KNOWN: _ClassVar[LineageState]

class SuggestionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUGGESTION_STATE_UNSPECIFIED: _ClassVar[SuggestionState]
    SUGGESTION_STATE_PENDING: _ClassVar[SuggestionState]
    SUGGESTION_STATE_ACCEPTED: _ClassVar[SuggestionState]
    SUGGESTION_STATE_REJECTED: _ClassVar[SuggestionState]
LINEAGE_STATE_UNSPECIFIED: LineageState
LINEAGE_STATE_NONE: LineageState
LINEAGE_STATE_UNKNOWN: LineageState
LINEAGE_STATE_AMBIGUOUS: LineageState
LINEAGE_STATE_KNOWN: LineageState
SUGGESTION_STATE_UNSPECIFIED: SuggestionState
SUGGESTION_STATE_PENDING: SuggestionState
SUGGESTION_STATE_ACCEPTED: SuggestionState
SUGGESTION_STATE_REJECTED: SuggestionState

class LineageRevision(_message.Message):
    __slots__ = ("n", "head")
    N_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    n: int
    head: str
    def __init__(self, n: _Optional[int] = ..., head: _Optional[str] = ...) -> None: ...

class ResourceName(_message.Message):
    __slots__ = ("type", "id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    type: str
    id: str
    def __init__(self, type: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class DataName(_message.Message):
    __slots__ = ("resource", "dataset")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    resource: ResourceName
    dataset: _dataset_pb2.DatasetName
    def __init__(self, resource: _Optional[_Union[ResourceName, _Mapping]] = ..., dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ...) -> None: ...

class LineageScope(_message.Message):
    __slots__ = ("subject", "on_behalf_of", "request_id", "approval_id", "justification", "attempt_id", "expected_digest")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    subject: _request_pb2.Subject
    on_behalf_of: _containers.RepeatedCompositeFieldContainer[_request_pb2.Subject]
    request_id: str
    approval_id: str
    justification: str
    attempt_id: str
    expected_digest: str
    def __init__(self, subject: _Optional[_Union[_request_pb2.Subject, _Mapping]] = ..., on_behalf_of: _Optional[_Iterable[_Union[_request_pb2.Subject, _Mapping]]] = ..., request_id: _Optional[str] = ..., approval_id: _Optional[str] = ..., justification: _Optional[str] = ..., attempt_id: _Optional[str] = ..., expected_digest: _Optional[str] = ...) -> None: ...

class LineageColumn(_message.Message):
    __slots__ = ("name", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class LineageDataset(_message.Message):
    __slots__ = ("dataset", "tags", "columns", "coarse", "distance", "column_names")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COARSE_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_NAMES_FIELD_NUMBER: _ClassVar[int]
    dataset: _dataset_pb2.DatasetName
    tags: _containers.RepeatedScalarFieldContainer[str]
    columns: _containers.RepeatedCompositeFieldContainer[LineageColumn]
    coarse: bool
    distance: int
    column_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., columns: _Optional[_Iterable[_Union[LineageColumn, _Mapping]]] = ..., coarse: bool = ..., distance: _Optional[int] = ..., column_names: _Optional[_Iterable[str]] = ...) -> None: ...

class IngestRequest(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    def __init__(self, event: _Optional[bytes] = ...) -> None: ...

class IngestResponse(_message.Message):
    __slots__ = ("index", "revision", "known", "reason", "message", "problems")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    index: int
    revision: LineageRevision
    known: bool
    reason: str
    message: str
    problems: _containers.RepeatedCompositeFieldContainer[IngestProblem]
    def __init__(self, index: _Optional[int] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., known: bool = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., problems: _Optional[_Iterable[_Union[IngestProblem, _Mapping]]] = ...) -> None: ...

class IngestProblem(_message.Message):
    __slots__ = ("path", "message")
    PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    path: str
    message: str
    def __init__(self, path: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetLineageRequest(_message.Message):
    __slots__ = ("data", "upstream", "downstream", "at", "scope")
    DATA_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_FIELD_NUMBER: _ClassVar[int]
    DOWNSTREAM_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    upstream: int
    downstream: int
    at: int
    scope: LineageScope
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., upstream: _Optional[int] = ..., downstream: _Optional[int] = ..., at: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class GetLineageResponse(_message.Message):
    __slots__ = ("decision", "revision", "state", "datasets", "steps", "truncated", "tags")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    state: LineageState
    datasets: _containers.RepeatedCompositeFieldContainer[LineageDataset]
    steps: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.LineageStep]
    truncated: bool
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., state: _Optional[_Union[LineageState, str]] = ..., datasets: _Optional[_Iterable[_Union[LineageDataset, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[_dataset_pb2.LineageStep, _Mapping]]] = ..., truncated: bool = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class GetPathRequest(_message.Message):
    __slots__ = ("source", "target", "at", "scope")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    source: DataName
    target: DataName
    at: int
    scope: LineageScope
    def __init__(self, source: _Optional[_Union[DataName, _Mapping]] = ..., target: _Optional[_Union[DataName, _Mapping]] = ..., at: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class GetPathResponse(_message.Message):
    __slots__ = ("decision", "revision", "steps")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    steps: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.LineageStep]
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_dataset_pb2.LineageStep, _Mapping]]] = ...) -> None: ...

class ExplainTagRequest(_message.Message):
    __slots__ = ("data", "column", "tag", "at", "scope")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    column: str
    tag: str
    at: int
    scope: LineageScope
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., at: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class ExplainTagResponse(_message.Message):
    __slots__ = ("decision", "revision", "carried", "steps", "assertions")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CARRIED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ASSERTIONS_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    carried: bool
    steps: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.LineageStep]
    assertions: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.TagAssertion]
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., carried: bool = ..., steps: _Optional[_Iterable[_Union[_dataset_pb2.LineageStep, _Mapping]]] = ..., assertions: _Optional[_Iterable[_Union[_dataset_pb2.TagAssertion, _Mapping]]] = ...) -> None: ...

class ListTagsRequest(_message.Message):
    __slots__ = ("data", "page_size", "page_token", "at")
    DATA_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    page_size: int
    page_token: str
    at: int
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., at: _Optional[int] = ...) -> None: ...

class ListTagsResponse(_message.Message):
    __slots__ = ("revision", "assertions", "next_page_token")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ASSERTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    assertions: _containers.RepeatedCompositeFieldContainer[_dataset_pb2.TagAssertion]
    next_page_token: str
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., assertions: _Optional[_Iterable[_Union[_dataset_pb2.TagAssertion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class TagRequest(_message.Message):
    __slots__ = ("data", "column", "tag", "reason")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    column: str
    tag: str
    reason: str
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class TagResponse(_message.Message):
    __slots__ = ("revision", "dataset")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    dataset: _dataset_pb2.DatasetName
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ...) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ("data", "columns", "reason")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    columns: _containers.RepeatedCompositeFieldContainer[LineageColumn]
    reason: str
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., columns: _Optional[_Iterable[_Union[LineageColumn, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("revision", "dataset")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    dataset: _dataset_pb2.DatasetName
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ...) -> None: ...

class UntagRequest(_message.Message):
    __slots__ = ("data", "column", "tag", "reason", "revision", "scope")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    column: str
    tag: str
    reason: str
    revision: int
    scope: LineageScope
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., reason: _Optional[str] = ..., revision: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class UntagResponse(_message.Message):
    __slots__ = ("decision", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ...) -> None: ...

class EndEdgeRequest(_message.Message):
    __slots__ = ("data", "column", "source", "source_column", "reason", "revision", "scope")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    column: str
    source: _dataset_pb2.DatasetName
    source_column: str
    reason: str
    revision: int
    scope: LineageScope
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., column: _Optional[str] = ..., source: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., source_column: _Optional[str] = ..., reason: _Optional[str] = ..., revision: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class EndEdgeResponse(_message.Message):
    __slots__ = ("decision", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ...) -> None: ...

class UnlinkRequest(_message.Message):
    __slots__ = ("one", "other", "reason", "revision", "scope")
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    one: _dataset_pb2.DatasetName
    other: _dataset_pb2.DatasetName
    reason: str
    revision: int
    scope: LineageScope
    def __init__(self, one: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., other: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., reason: _Optional[str] = ..., revision: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class UnlinkResponse(_message.Message):
    __slots__ = ("decision", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ...) -> None: ...

class DeclassifyRequest(_message.Message):
    __slots__ = ("data", "column", "tag", "expires_at", "reason", "revision", "scope")
    DATA_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    column: str
    tag: str
    expires_at: _timestamp_pb2.Timestamp
    reason: str
    revision: int
    scope: LineageScope
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., revision: _Optional[int] = ..., scope: _Optional[_Union[LineageScope, _Mapping]] = ...) -> None: ...

class DeclassifyResponse(_message.Message):
    __slots__ = ("decision", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.AuthorizeResponse
    revision: LineageRevision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.AuthorizeResponse, _Mapping]] = ..., revision: _Optional[_Union[LineageRevision, _Mapping]] = ...) -> None: ...

class Suggestion(_message.Message):
    __slots__ = ("id", "dataset", "column", "tag", "score", "hits", "recognizer", "state", "by", "at", "settled_by", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    RECOGNIZER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SETTLED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    dataset: _dataset_pb2.DatasetName
    column: str
    tag: str
    score: float
    hits: float
    recognizer: str
    state: SuggestionState
    by: str
    at: _timestamp_pb2.Timestamp
    settled_by: str
    reason: str
    def __init__(self, id: _Optional[str] = ..., dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., column: _Optional[str] = ..., tag: _Optional[str] = ..., score: _Optional[float] = ..., hits: _Optional[float] = ..., recognizer: _Optional[str] = ..., state: _Optional[_Union[SuggestionState, str]] = ..., by: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., settled_by: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListSuggestionsRequest(_message.Message):
    __slots__ = ("state", "page_size", "page_token")
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    state: SuggestionState
    page_size: int
    page_token: str
    def __init__(self, state: _Optional[_Union[SuggestionState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSuggestionsResponse(_message.Message):
    __slots__ = ("revision", "suggestions", "next_page_token")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    next_page_token: str
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SuggestRequest(_message.Message):
    __slots__ = ("data", "suggestions")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    data: DataName
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    def __init__(self, data: _Optional[_Union[DataName, _Mapping]] = ..., suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ...) -> None: ...

class SuggestResponse(_message.Message):
    __slots__ = ("revision", "suggestions", "known")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    known: int
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., known: _Optional[int] = ...) -> None: ...

class SettleSuggestionRequest(_message.Message):
    __slots__ = ("suggestion_id", "accept", "reason")
    SUGGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    suggestion_id: str
    accept: bool
    reason: str
    def __init__(self, suggestion_id: _Optional[str] = ..., accept: bool = ..., reason: _Optional[str] = ...) -> None: ...

class SettleSuggestionResponse(_message.Message):
    __slots__ = ("revision", "suggestion")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    suggestion: Suggestion
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., suggestion: _Optional[_Union[Suggestion, _Mapping]] = ...) -> None: ...

class ListProblemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "at")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    at: int
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., at: _Optional[int] = ...) -> None: ...

class ListProblemsResponse(_message.Message):
    __slots__ = ("revision", "problems", "next_page_token")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    problems: _containers.RepeatedCompositeFieldContainer[LineageProblem]
    next_page_token: str
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., problems: _Optional[_Iterable[_Union[LineageProblem, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LineageProblem(_message.Message):
    __slots__ = ("kind", "dataset", "path", "message", "job_namespace", "job_name", "by", "at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    JOB_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    dataset: _dataset_pb2.DatasetName
    path: str
    message: str
    job_namespace: str
    job_name: str
    by: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., path: _Optional[str] = ..., message: _Optional[str] = ..., job_namespace: _Optional[str] = ..., job_name: _Optional[str] = ..., by: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetCoverageRequest(_message.Message):
    __slots__ = ("first", "at")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    first: int
    at: int
    def __init__(self, first: _Optional[int] = ..., at: _Optional[int] = ...) -> None: ...

class GetCoverageResponse(_message.Message):
    __slots__ = ("revision", "namespaces", "first")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NAMESPACES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    revision: LineageRevision
    namespaces: _containers.RepeatedCompositeFieldContainer[NamespaceCoverage]
    first: _containers.RepeatedCompositeFieldContainer[ClassifyFirst]
    def __init__(self, revision: _Optional[_Union[LineageRevision, _Mapping]] = ..., namespaces: _Optional[_Iterable[_Union[NamespaceCoverage, _Mapping]]] = ..., first: _Optional[_Iterable[_Union[ClassifyFirst, _Mapping]]] = ...) -> None: ...

class NamespaceCoverage(_message.Message):
    __slots__ = ("namespace", "datasets", "classified_datasets", "columns", "classified_columns")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    CLASSIFIED_DATASETS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CLASSIFIED_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    datasets: int
    classified_datasets: int
    columns: int
    classified_columns: int
    def __init__(self, namespace: _Optional[str] = ..., datasets: _Optional[int] = ..., classified_datasets: _Optional[int] = ..., columns: _Optional[int] = ..., classified_columns: _Optional[int] = ...) -> None: ...

class ClassifyFirst(_message.Message):
    __slots__ = ("dataset", "columns", "downstream")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DOWNSTREAM_FIELD_NUMBER: _ClassVar[int]
    dataset: _dataset_pb2.DatasetName
    columns: int
    downstream: int
    def __init__(self, dataset: _Optional[_Union[_dataset_pb2.DatasetName, _Mapping]] = ..., columns: _Optional[int] = ..., downstream: _Optional[int] = ...) -> None: ...
