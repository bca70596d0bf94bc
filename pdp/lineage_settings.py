"""The part `[lineage]` of the configuration: which resource is which data, and what each writer of lineage may say."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from pdp.address import webhook_host
from pdp.identity_source import ConfigPath, Frozen

_Identity = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.+$")]


class DataOf(Frozen):
    """Which dataset a resource is: texts in braces stand for themselves on both sides."""

    type: str
    """The resource's type."""
    id: str
    """Its id, such as `{schema}.{table}`."""
    namespace: str
    """The dataset's namespace, such as `postgres://crm:5432`."""
    name: str
    """Its name, such as `crm.{schema}.{table}`."""


class LineageWriter(Frozen):
    """What one identity may say of data."""

    namespaces: tuple[str, ...] = ()
    """Whose outputs and aliases it may write: globs over namespaces, such as `postgres://crm:*`."""
    may_tag: bool = True
    """Believe the tags in its events."""
    may_classify: bool = False
    """Let it end `unclassified`: by edges that it writes and tags that it declares."""
    trust_masking: bool = False
    """Believe it that a transformation masks."""
    facet_is_complete: bool = False
    """Believe it that a column which its column facet leaves out has no inputs."""
    may_replace: bool = False
    """Let it end old edges of its jobs by events that overwrite, create, drop or truncate."""
    events_a_second: float = Field(default=1000, gt=0)
    """How many events are taken in a second, in the long run."""


def _forward_url(url: str) -> str:
    webhook_host(url)
    if "?" in url:
        raise ValueError("must have no question mark: `/api/v1/lineage` is put behind it")
    return url.rstrip("/")


class Forward(Frozen):
    """Somewhere that keeps lineage, too, and is told what leaves: another Placet, Marquez, DataHub."""

    url: Annotated[str, AfterValidator(_forward_url)]
    """What OpenLineage calls `OPENLINEAGE_URL`: events go to `/api/v1/lineage` behind it. Where it may lead is as for
    webhooks: by https to a public address, or to this machine."""
    api_key: ConfigPath | None = None
    """A file with the token of `Authorization: Bearer`, which others cannot read. It is read again for each event, so
    that a new one may be put there."""


class LineageSettings(Frozen):
    """Lineage is on where this part stands; it may be empty."""

    types: tuple[str, ...] = ("table", "file", "topic")
    """Resource types that are data, beside `dataset` and those of `resources`. Others have no lineage."""
    resources: tuple[DataOf, ...] = ()
    """Which dataset a resource is. Without an entry: the dataset of an equal name, or whose name ends with it."""
    writers: dict[_Identity, LineageWriter] = Field(default_factory=dict)
    """What each identity with the role `lineage_writer` may write; one without an entry writes nothing."""
    schemes: dict[str, str] = Field(default_factory=dict)
    """Schemes of namespaces that are other names, beside `s3a`, `s3n` and `postgresql`: `abfss = "abfs"`."""
    exact_case: tuple[str, ...] = ()
    """Namespaces whose names differ by case."""
    partitions: tuple[str, ...] = ()
    """Regular expressions of path segments that begin a partition, beside `key=value`: `\\d{4}-\\d{2}-\\d{2}`."""
    exports: tuple[str, ...] = ("export", "share")
    """Actions by which data leaves: an approved use of one that is reported as succeeded or unknown is lineage, too."""
    forward: Forward | None = None
    """Who else is told what left masked or was exported. None: it stays here."""
