"""What can be said of the clients in other languages without their tools."""

import json
import re

from pdp import __version__
from tests.documents import ROOT

TYPESCRIPT = ROOT / "clients" / "typescript"


def test_what_the_typescript_client_fetches_is_pinned_and_names_no_registry() -> None:
    package = json.loads((TYPESCRIPT / "package.json").read_text())
    lock = json.loads((TYPESCRIPT / "package-lock.json").read_text())["packages"]
    for kind in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package[kind].values())
        assert lock[""][kind] == package[kind]
    assert not [name for name, entry in lock.items() if "resolved" in entry or (name and "integrity" not in entry)]


def test_the_typescript_client_has_placets_version() -> None:
    assert json.loads((TYPESCRIPT / "package.json").read_text())["version"] == __version__
