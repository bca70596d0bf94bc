"""The Go client: its generated code, its style, its tests with the story of all languages, and its README."""

import filecmp
import shutil
import tempfile
from pathlib import Path

from pdp import __version__
from tests.documents import ROOT
from tests.languages.clients import ran, ran_beside_tls, read

TOOLS = ("go",)
FOLDER = ROOT / "clients" / "go"
GENERATED = Path("pdp", "v1")


def tried() -> None:
    """Raise where something fails."""
    assert f"placet/clients/go@v{__version__} " in (FOLDER / "README.md").read_text(), "clients/go: another version"
    _require_generated()
    assert not (badly := ran("gofmt", "-l", ".", folder=FOLDER)), f"run gofmt -w on {badly}"
    ran("go", "vet", "-tags", "story", "./...", folder=FOLDER)
    ran_beside_tls("go", "test", "-count=1", "-tags", "story", "./...", folder=FOLDER)
    read("go")


def _require_generated() -> None:
    """The generated code is what the generators make now: the same files with the same bytes."""
    with tempfile.TemporaryDirectory(prefix="placet-languages-") as folder:
        fresh = Path(folder, "go")
        shutil.copytree(FOLDER, fresh, ignore=shutil.ignore_patterns("build", "pdp"))
        ran("sh", "generate.sh", folder=fresh, more={"PROTO": str(ROOT / "proto")})
        compared = filecmp.dircmp(fresh / GENERATED, FOLDER / GENERATED)
        different = [*compared.left_only, *compared.right_only]
        different += filecmp.cmpfiles(fresh / GENERATED, FOLDER / GENERATED, compared.common_files, shallow=False)[1]
    assert not different, f"clients/go: run `go generate`; these are not of proto/ as it is: {different}"
