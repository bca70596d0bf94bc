"""What can be said of the clients in other languages without their tools."""

import json
import re
from pathlib import Path

import pytest

from pdp import __version__
from tests.documents import ROOT

TYPESCRIPT = ROOT / "clients" / "typescript"
NODE = [TYPESCRIPT, ROOT / "tools" / "javascript"]


@pytest.mark.parametrize("folder", NODE, ids=lambda folder: folder.name)
def test_what_node_fetches_is_pinned_and_names_no_registry(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text())
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    for kind in {"dependencies", "devDependencies"} & package.keys():
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package[kind].values())
        assert lock[""][kind] == package[kind]
    assert not [name for name, entry in lock.items() if "resolved" in entry or (name and "integrity" not in entry)]


def test_the_typescript_client_has_placets_version() -> None:
    assert json.loads((TYPESCRIPT / "package.json").read_text())["version"] == __version__
