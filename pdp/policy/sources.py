"""Reads the files of a policy once, so that the same bytes are checked, hashed and built."""

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pdp.errors import SetupError
from pdp.policy.folder import files

DATA = {"data.json", "data.yaml", "data.yml"}
"""The file names under which OPA's bundles carry data; the data gets the path of the file's folder."""

CORE = "pdp"
"""The label of the composing core among the sources."""


@dataclass(frozen=True)
class Source:
    """One file: the unique `label` of its folder, its `path` in it, the path that the author knows, and its bytes.

    `refused` says why a file is not read; it is of no kind then.
    """

    label: str
    path: PurePosixPath
    shown: str
    content: bytes
    refused: str = ""

    @property
    def name(self) -> str:
        """The file's name inside the bundle and in OPA's messages."""
        return f"{self.label}/{self.path}"

    @property
    def is_rego(self) -> bool:
        """Whether it is a module; tests are modules, too."""
        return self.path.suffix == ".rego" and not self.refused

    @property
    def is_test(self) -> bool:
        """Whether it is a test. Bundles carry no tests."""
        return self.path.name.endswith("_test.rego") and not self.refused

    @property
    def is_schema(self) -> bool:
        """Whether it is a schema of input (`schema/**.json`), which is not data."""
        return self.path.parts[0] == "schema" and self.path.suffix == ".json" and not self.refused

    @property
    def is_data(self) -> bool:
        """Whether it becomes part of `data`."""
        return self.path.name in DATA and not self.is_schema and not self.refused


def rego() -> Path:
    """The folder of the shipped Rego: beside this package in a checkout, inside it in an installed distribution."""
    package = Path(__file__).parents[1]
    inside, beside = package / "rego", package.parent / "rego"
    return inside if inside.is_dir() else beside


def core() -> Path:
    """The folder of the composing core, which every bundle holds."""
    return rego() / "pdp"


def read(folders: Sequence[Path]) -> tuple[Source, ...]:
    """Every file of the core and of `folders`, those that are refused, too, sorted, without copies of the core."""
    shipped = _files(core(), CORE)
    own = {(source.path.name, source.content) for source in shipped}
    authored = [
        source
        for label, folder in _labels(folders).items()
        for source in _authored(folder, label)
        if (source.path.name, source.content) not in own or source.path.parent.name != CORE
    ]
    return tuple(sorted([*shipped, *authored], key=lambda source: source.name))


def _authored(folder: Path, label: str) -> list[Source]:
    """The files of an author's folder. Raises `SetupError` if there are none."""
    if not (found := _files(folder, label)):
        raise SetupError(
            f"{folder} holds no policy, neither Rego nor data; is it another folder? `pdp policy init {folder}` writes "
            "a policy to begin with"
        )
    return found


def without_rules(sources: Sequence[Source]) -> str:
    """A sentence if an author's files hold no module of rules, so that nothing would be allowed; else empty."""
    authored = [source for source in sources if source.label != CORE]
    if any(source.is_rego and not source.is_test for source in authored):
        return ""
    folders = sorted({source.shown.removesuffix(str(source.path)).rstrip("/") for source in authored})
    where = f"{', '.join(folders)}: " if folders else ""
    return f"{where}there is no rule, so nothing would be allowed; name the folder that holds the .rego of the rules"


def _labels(folders: Sequence[Path]) -> dict[str, Path]:
    labels: dict[str, Path] = {}
    for folder in folders:
        name = re.sub(r"[^\w.-]", "_", folder.resolve().name) or "policy"
        taken = labels.keys() | {CORE}
        labels[name if name not in taken else f"{name}_{len(labels)}"] = folder
    return labels


def _files(folder: Path, label: str) -> list[Source]:
    if not folder.is_dir():
        raise SetupError(f"{folder} is not a folder; name the folders that hold the policy's Rego and data")
    found = files(folder)
    return [Source(label, file.path, str(folder / file.path), file.content, file.refused) for file in found]


def shown(sources: Iterable[Source], name: str) -> str:
    """The author's path of the file that OPA calls `name`; `name` itself if it is not among `sources`."""
    return next((source.shown for source in sources if source.name == name), name)


def revision(sources: Iterable[Source]) -> str:
    """SHA-256 over names and contents, in hex. A copied or moved folder has the same revision."""
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda source: source.name):
        for part in (source.name.encode(), source.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@contextmanager
def staged(sources: Iterable[Source]) -> Iterator[Path]:
    """A temporary folder with one sub-folder for each label, as OPA's tools expect it."""
    with tempfile.TemporaryDirectory(prefix="pdp-policy-") as name:
        for source in sources:
            target = Path(name, source.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.content)
        yield Path(name)


def labels(sources: Iterable[Source]) -> list[str]:
    """The sub-folders that `staged` makes, sorted."""
    return sorted({source.label for source in sources})
