"""What is installed: every folder that the code reads files from, and nothing that lives elsewhere."""

import tomllib
from pathlib import Path

SETUPTOOLS = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_folder_with_code_or_data_is_installed() -> None:
    """`rego/` is installed as `pdp.rego`. Files in a folder that is not listed are missing in a wheel."""
    homes = {name.replace(".", "/") for name in SETUPTOOLS["packages"]}
    files = [path for top in ("pdp", "masker", "rego") for path in Path(top).rglob("*") if path.is_file()]
    installed = {Path("pdp") / path.parent if path.parts[0] == "rego" else path.parent for path in files}
    assert {str(folder) for folder in installed if folder.name != "__pycache__"} == homes


def test_every_kind_of_file_is_installed() -> None:
    kinds = {*SETUPTOOLS["package-data"]["*"], "*.py", "*.pyi"}
    for top in ("pdp", "masker", "rego"):
        for path in Path(top).rglob("*.*"):
            assert path.is_dir() or path.suffix == ".pyc" or any(path.match(kind) for kind in kinds), path
