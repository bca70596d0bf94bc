"""The chart of Helm: what it makes of its examples, and whether Kubernetes takes that."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from tests.ops.tools import BESIDE, run, say, tool

CHART = Path("ops/helm/placet")
CASES = Path("tests/cases/helm")
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
VERSIONS = ("1.27.0", "1.37.0")
"""The oldest Kubernetes that the chart is for, and the newest whose schemas there are."""


def tried(*, renew: bool = False) -> None:
    """Lint it, render each example, hold that against the schemas, and against what was rendered before."""
    with tempfile.TemporaryDirectory() as folder:
        for version in VERSIONS:
            schemas(Path(folder, f"v{version}-strict"), version)
        for example in EXAMPLES:
            run(tool("helm"), "lint", "--strict", CHART, "--kube-version", VERSIONS[-1], "--values", example)
            for version in VERSIONS:
                conforms(Path(folder), version, rendered(example, version))
            golden(example, rendered(example, VERSIONS[-1]), renew=renew)


def rendered(example: Path, version: str) -> str:
    """The manifests of an example."""
    command = ("template", "placet", CHART, "--namespace", "placet", "--kube-version", version, "--values", example)
    return run(tool("helm"), *command)


def conforms(folder: Path, version: str, manifests: str) -> None:
    """End if a manifest is not what a schema says, or has none."""
    file = folder / "manifests.yaml"
    file.write_text(manifests)
    name = "{{.ResourceKind}}{{.KindSuffix}}.json"
    places = (f"{folder}/{{{{.NormalizedKubernetesVersion}}}}{{{{.StrictSuffix}}}}/{name}", f"{CASES}/{name}")
    locations = [part for place in places for part in ("-schema-location", place)]
    run(tool("kubeconform"), "-strict", "-summary", "-kubernetes-version", version, *locations, file)


def schemas(folder: Path, version: str) -> None:
    """Copy the schemas of a version; their own addresses go, and their references become relative."""
    (installed,) = BESIDE.glob("lib/python*/site-packages/kubernetes_validate/kubernetes-json-schema")
    folder.mkdir()
    for file in (installed / f"v{version}-local-strict").iterdir():
        schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (folder / file.name).write_text(json.dumps(schema))


def golden(example: Path, manifests: str, *, renew: bool) -> None:
    """End if what is rendered is not what was checked in; write it anew where that is wanted."""
    kept, text = CASES / example.name, f"# of chart {digest()}\n{manifests}"
    if renew:
        kept.write_text(text)
        say(f"{kept} is written")
    elif not kept.exists() or kept.read_text() != text:
        sys.exit(f"{kept} is not what the chart makes; look at it after `python -m tests.ops --renew`")


def digest() -> str:
    """SHA-256 over all files of the chart, by which the suite sees without Helm that what is kept is of this chart."""
    whole = hashlib.sha256()
    for file in sorted(path for path in CHART.rglob("*") if path.is_file()):
        whole.update(hashlib.sha256(f"{file.relative_to(CHART)}\0".encode() + file.read_bytes()).digest())
    return whole.hexdigest()
