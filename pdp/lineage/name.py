"""The names of datasets and columns, folded so that one thing has one name however a producer writes it.

1. A namespace loses credentials, options and trailing slashes, gets the scheme's one name and its default port, and is
   in lower case: `postgresql://etl:secret@CRM/?ssl=on` is `postgres://crm:5432`.
2. A name loses doubled and trailing slashes, everything from a partition's segment on, and its case; columns lose their
   case. Names and columns of the namespaces in `exact_case` keep it.
3. Folding twice changes nothing. It can only unite names, so it can only add tags.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from unicodedata import normalize

from pdp.lineage.fact import Dataset

MAX_KEPT = 1024
"""Namespaces that are kept folded: a deployment has few of them, and each dataset of each event names one."""
_SCHEMES = {"s3a": "s3", "s3n": "s3", "postgresql": "postgres"}
"""Schemes of namespaces that are other names."""
_PORTS = {
    "cassandra": 9042,
    "clickhouse": 8123,
    "db2": 50000,
    "hive": 9083,
    "mongodb": 27017,
    "mssql": 1433,
    "mysql": 3306,
    "oracle": 1521,
    "postgres": 5432,
    "redshift": 5439,
    "sqlserver": 1433,
    "trino": 8080,
}
"""The port that a namespace of this scheme has where it names none."""
_STORES = frozenset(
    {
        "abfs",
        "abfss",
        "adl",
        "cos",
        "cosn",
        "dbfs",
        "file",
        "ftp",
        "gcs",
        "gs",
        "hdfs",
        "obs",
        "oss",
        "s3",
        "s3a",
        "s3n",
    }
    | {"sftp", "viewfs", "wasb", "wasbs"}
)
"""Schemes of file and object stores, whose names are paths."""
_ROOTED = frozenset({"dbfs", "file", "ftp", "hdfs", "sftp", "viewfs"})
"""Those of them whose names begin with a slash; names in the others are keys, which do not."""
_KEY_VALUE = re.compile(r"/[^/=]+=")
"""A segment of a path that begins a partition, wherever data lies."""
_WILD = re.compile(r"[*?\[]")
_SLASHES = re.compile("//+")
_AUTHORITY = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/]*@)?(?P<host>[^/?;#]*)(?P<path>[^?;#]*)")
_ONE_HOST = re.compile(r"[^:,\[\]]+|\[[^\]]*\]")
"""A host without a port; several hosts are left as they are."""


class Names:
    """Folds names as a deployment's settings say.

    `schemes` are more names of schemes, `exact_case` the namespaces in which case counts, `partitions` regular
    expressions of path segments that begin a partition, beside `key=value`.
    """

    def __init__(
        self,
        schemes: Mapping[str, str] | None = None,
        exact_case: Sequence[str] = (),
        partitions: Sequence[str] = (),
    ) -> None:
        self._schemes = _SCHEMES | {folded(other): folded(one) for other, one in (schemes or {}).items()}
        self._partition = re.compile("|".join(f"(?:{one})" for one in partitions)) if partitions else None
        self._kept = lru_cache(MAX_KEPT)(self._fixed)
        self._exact = frozenset(map(self.namespace, exact_case))

    def dataset(self, namespace: str, name: str) -> Dataset:
        """The dataset of OpenLineage's namespace and name."""
        namespace = self.namespace(namespace)
        path = self._path(name, namespace)
        return Dataset(namespace, path if namespace in self._exact else folded(path))

    def column(self, dataset: Dataset, name: str) -> str:
        """A column of a dataset that is folded."""
        return name if dataset.namespace in self._exact else folded(name)

    def namespace(self, namespace: str) -> str:
        """A namespace alone."""
        return self._kept(namespace)

    def may_write(self, globs: Iterable[str], dataset: Dataset) -> bool:
        """Whether a dataset lies in one of these namespaces, which are globs, written as producers write them."""
        return any(fnmatchcase(dataset.namespace, self._glob(glob)) for glob in globs)

    def _fixed(self, namespace: str) -> str:
        while (once := self._once(namespace)) != namespace:
            namespace = once
        return namespace

    def _glob(self, glob: str) -> str:
        if not _WILD.search(glob):
            return self.namespace(glob)
        kind, mark, rest = folded(glob).partition(":")
        return self._scheme(kind) + mark + rest

    def _once(self, namespace: str) -> str:
        text = folded(namespace).removeprefix("jdbc:")
        if found := _AUTHORITY.match(text):
            known = self._scheme(found["scheme"])
            host = found["host"].rstrip(":")
            text = f"{known}:{f'//{_with_port(known, host)}' if host else ''}{_SLASHES.sub('/', found['path'])}"
        else:
            kind, mark, path = text.partition(":")
            text = self._scheme(kind) + mark + path.rpartition("@")[2]
            text = text if "://" in text else _SLASHES.sub("/", text)
        kind, _, place = _parts(text)
        if kind in _STORES and place:
            text = text.removesuffix(place) + self._unparted(place, 0)
        return text.rstrip("/:") or text

    def _scheme(self, name: str) -> str:
        seen = set[str]()
        while name in self._schemes and name not in seen:
            seen.add(name)
            name = self._schemes[name]
        return name

    def _path(self, name: str, namespace: str) -> str:
        """A name without slashes that say nothing, and without the partition that it names."""
        kind, _, place = _parts(namespace)
        path = "/" + _SLASHES.sub("/", name).strip("/")
        first = 0 if name.startswith("/") or kind in _STORES else path.find("/", 1)
        path = (self._unparted(path, first) if first >= 0 else path).strip("/")
        starts = not place if kind in _ROOTED else kind not in _STORES and name.startswith("/")
        return "/" + path if starts else path or "/"

    def _unparted(self, path: str, first: int) -> str:
        """A path up to its first segment that begins a partition; `first` is the slash before the first that may."""
        if found := _KEY_VALUE.search(path, first):
            path = path[: found.start()]
        if self._partition is None or first >= len(path):
            return path
        segments = path[first + 1 :].split("/")
        cut = next((place for place, one in enumerate(segments) if self._partition.fullmatch(one)), len(segments))
        return path[: first + 1] + "/".join(segments[:cut])


def folded(text: str) -> str:
    """Text without its case and in one Unicode form."""
    if text.isascii():
        return text.lower()
    while (once := normalize("NFC", normalize("NFD", text).casefold())) != text:
        text = once
    return text


def above(dataset: Dataset) -> Iterator[Dataset]:
    """The folders in which a dataset of a file or object store lies, the nearest first; of others none."""
    kind, base, place = _parts(dataset.namespace)
    if kind not in _STORES:
        return
    namespace, name = dataset
    while name != "/":
        name = name.rpartition("/")[0] or "/"
        yield Dataset(namespace, name)
    if place:
        folder = Dataset(base, place if kind in _ROOTED else place.strip("/"))
        yield folder
        yield from above(folder)


def _parts(namespace: str) -> tuple[str, str, str]:
    """The scheme of a folded namespace, what it is without its path, and its path: `file:/data` is all three."""
    kind, mark, rest = namespace.partition(":")
    if not rest.startswith("//"):
        return (kind, kind, rest) if rest.startswith("/") else (kind, namespace, "")
    host, slash, path = rest[2:].partition("/")
    return kind, f"{kind}{mark}//{host}", slash + path


def _with_port(kind: str, host: str) -> str:
    return f"{host}:{_PORTS[kind]}" if kind in _PORTS and _ONE_HOST.fullmatch(host) else host
