"""What is known of the data that a resource stands for, as the policy, the record and people get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pdp.lineage.fact import Dataset


class State(StrEnum):
    """Whether anything is known."""

    OFF = "OFF"
    """The server keeps no lineage."""
    NONE = "NONE"
    """The resource's type is not one of data."""
    UNKNOWN = "UNKNOWN"
    """No dataset is known by this name."""
    AMBIGUOUS = "AMBIGUOUS"
    """More datasets fit than are looked at."""
    KNOWN = "KNOWN"


@dataclass(frozen=True, slots=True)
class Revision:
    """How far the log was read: the number of its last document, and its head in hex."""

    n: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The answer about one resource, as of one revision.

    `tags` is the union over the datasets and their columns; `columns` holds each column that has any. `json` is the
    RFC 8785 form of all of it, which is spliced beside the request; `digest` is SHA-256 (base64url) of the RFC 8785
    form of datasets, columns and tags, without the revision. Both lists are sorted.
    """

    state: State
    datasets: Sequence[Dataset] = ()
    tags: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    coarse: bool = False
    revision: Revision = field(default_factory=Revision)
    json: bytes = b'{"state":"OFF"}'
    digest: str = ""
