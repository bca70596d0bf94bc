"""Builds the bundle that OPA serves from the files of a policy."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pdp.policy.check import examine
from pdp.policy.finding import PolicyRefused
from pdp.policy.sources import Source, labels, revision, staged
from pdp.policy.stock import capabilities, output


def build(opa: Path, sources: Sequence[Source], destination: Path, in_force: Mapping[str, Any] | None = None) -> str:
    """Build the bundle of `sources`, the core among them, at `destination` and return its revision.

    1. Exactly what is checked is built. Tests are left out.
    2. If there are findings, raises `PolicyRefused` that names each, and `destination` stays as it was.
    3. `destination` is replaced in one step, so that an OPA that watches it never sees half a bundle. OPA reloads at
       every event in the folder of `destination`, so the work happens in the folder above it, on the same file system.

    `in_force` are the domains that must not change.
    """
    sources = [source for source in sources if not source.is_test]
    if findings := examine(opa, sources, in_force or {}):
        raise PolicyRefused(findings)
    name = revision(sources)
    with tempfile.TemporaryDirectory(dir=destination.resolve().parents[1], prefix=".build-") as scratch:
        pack(opa, sources, Path(scratch, "bundle.tar.gz"), name).replace(destination)
    return name


def pack(opa: Path, sources: Sequence[Source], target: Path, name: str) -> Path:
    """Write modules and data of `sources` as a bundle of revision `name`. Raises `SetupError` if OPA refuses them."""
    loaded = [source for source in sources if source.is_data or source.is_rego]
    with staged(loaded) as folder:
        allowed = folder / "capabilities.json"
        allowed.write_bytes(orjson.dumps(capabilities(opa)))
        output(
            opa,
            "build",
            *labels(loaded),
            "--capabilities",
            allowed,
            "-r",
            name,
            "-o",
            target.resolve(),
            folder=folder,
        )
    return target
