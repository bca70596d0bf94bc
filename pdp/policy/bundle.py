"""Builds the bundle that OPA serves from the files of a policy."""

import gzip
import io
import tarfile
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pdp.errors import SetupError
from pdp.policy.check import examine, warnings
from pdp.policy.finding import PolicyRefused
from pdp.policy.people import kept
from pdp.policy.place import Rules, rules
from pdp.policy.schema import Schemas, schemas
from pdp.policy.sources import Source, labels, revision, staged, without_rules
from pdp.policy.stock import capabilities, output

FAST = 1
"""gzip's level. The maps of a million identities take 1 s with it and 5 s with the level that `tarfile` takes."""

MAPS = "/pdp/people/data.json"
"""Where a bundle carries `data.pdp.people`."""


class Built(NamedTuple):
    """The revision of a bundle, the domains that its data declares, where its rules stand, warnings and schemas."""

    revision: str
    domains: Mapping[str, Any]
    rules: Rules
    warnings: Sequence[str]
    schemas: Schemas


def build(opa: Path, sources: Sequence[Source], destination: Path, in_force: Mapping[str, Any] | None = None) -> str:
    """Build the bundle as `built`, with its work in the folder above that of `destination`. Returns the revision.

    Both folders are of one file system.
    """
    return built(opa, sources, destination, destination.resolve().parents[1], in_force or {}).revision


def built(
    opa: Path,
    sources: Sequence[Source],
    destination: Path,
    work: Path,
    in_force: Mapping[str, Any],
    types: Collection[str] = (),
) -> Built:
    """Build the bundle of `sources`, the core among them, at `destination`.

    1. Exactly what is checked is built. Tests are left out.
    2. If there are findings, raises `PolicyRefused` that names each, and `destination` stays as it was.
    3. `destination` is replaced in one step, so that half a bundle is never loaded.

    `in_force` are the domains that must not change, `types` those of the identities that the configuration knows;
    `work` is a folder on the file system of `destination`.
    """
    sources = [source for source in sources if not source.is_test]
    found = examine(opa, sources, in_force, types)
    if found.findings:
        raise PolicyRefused(found.findings)
    if sentence := without_rules(sources):
        raise SetupError(sentence)
    name = revision(sources)
    loaded = [*(source for source in sources if source.is_rego), *kept(found.documents, found.modules)]
    with tempfile.TemporaryDirectory(dir=work, prefix=".build-") as scratch:
        compiled, whole = Path(scratch, "compiled.tar.gz"), Path(scratch, "bundle.tar.gz")
        _compile(opa, loaded, compiled, name)
        _add(compiled, orjson.dumps(found.people), whole)
        whole.replace(destination)
    return Built(name, found.data.get("domains", {}), rules(found.modules), warnings(found), schemas(sources))


def _compile(opa: Path, sources: Sequence[Source], target: Path, name: str) -> None:
    """Write modules and data as a bundle of revision `name`. Raises `SetupError` if OPA refuses them."""
    with staged(sources) as folder:
        allowed = folder / "capabilities.json"
        allowed.write_bytes(orjson.dumps(capabilities(opa)))
        written = ("-r", name, "-o", target.resolve())
        output(opa, "build", *labels(sources), "--capabilities", allowed, *written, folder=folder)


def _add(compiled: Path, maps: bytes, target: Path) -> None:
    """Write the bundle again with the maps. `opa build` would take longer over them than all the rest does."""
    with (
        tarfile.open(compiled) as bundle,
        target.open("wb") as file,
        gzip.GzipFile("", "wb", FAST, file, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as whole,
    ):
        for member in bundle:
            whole.addfile(member, bundle.extractfile(member))
        entry = tarfile.TarInfo(MAPS)
        entry.size = len(maps)
        whole.addfile(entry, io.BytesIO(maps))
