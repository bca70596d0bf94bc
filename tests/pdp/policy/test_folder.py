"""Which files of a folder are read, which are refused, and which nobody takes for policy."""

import os
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.check import checked
from pdp.policy.folder import files
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)


def written(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("package policy\n")
    return folder


def read(folder: Path) -> list[str]:
    return [str(file.path) for file in files(folder) if not file.refused]


def refused(folder: Path) -> list[str]:
    return [str(file.path) for file in files(folder) if file.refused]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "deny.REGO",
            "deny.Rego",
            ".deny.rego",
            ".rego",
            "deny.rego.bak",
            "deny.rego.txt",
            "data.json.orig",
            "x.yaml.d",
        ),
        *("DATA.YML", ".hidden/deny.rego", ".vscode/settings.json", "a/.b/c/data.yaml", "deny.json5.json.gz"),
    ],
)
def test_what_reads_as_a_file_of_the_policy_is_refused_if_it_is_not_read(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "policy", "p.rego", name)
    assert (read(folder), refused(folder)) == (["p.rego"], [name])
    assert "stray-file" in {finding.rule for finding in checked(OPA, [folder], {})[0] if finding.file.endswith(name)}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "README.md",
            "LICENSE",
            "LICENSE.json",
            "docs/policy.rego.md",
            "notes.txt",
            "Makefile",
            "rego",
        ),
        *(".gitignore", ".gitlab-ci.yml", ".git/x.rego", ".github/a.yaml", ".regal/config.yaml", ".regal.yaml"),
        *("..data/p.rego", "..2026_01_01.1/p.rego", ".#p.rego", "p.rego~", ".p.rego.swp", ".p.rego.swo"),
    ],
)
def test_what_nobody_takes_for_policy_is_not_looked_at(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "p.rego", name)
    assert (read(folder), refused(folder)) == (["p.rego"], [])


@pytest.mark.parametrize(
    "name", ["README.rego", "license.rego", "licensed/d.rego", "README-rules/d.rego", "x.md/d.rego", "old~/d.rego"]
)
def test_rules_with_a_name_like_that_of_a_text_are_read(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "p.rego", name)
    assert (sorted(read(folder)), refused(folder)) == (sorted(["p.rego", name]), [])


def test_config_map_of_kubernetes_is_read_once(tmp_path: Path) -> None:
    folder = written(tmp_path, "..2026_11_29/p.rego", "..2026_11_29/data.json", "..2026_11_29/lib/words.rego")
    (folder / "..data").symlink_to("..2026_11_29")
    for name in ("p.rego", "data.json", "lib"):
        (folder / name).symlink_to(f"..data/{name}")
    assert (read(folder), refused(folder)) == (["data.json", "lib/words.rego", "p.rego"], [])


LINKS = {
    "a folder outside": ("extra", "../rules"),
    "a file outside": ("d.rego", "../rules/d.rego"),
    "nothing": ("extra", "rules"),
    "the folder itself": ("extra", "."),
    "the folder above": ("extra", ".."),
    "a folder that is read": ("extra", "zoo"),
    "a file that is read": ("d.rego", "zoo/z.rego"),
    "itself": ("extra", "extra"),
    "a file that is no policy": ("notes", "zoo/notes.txt"),
    "a text": ("d.rego.txt", "zoo/notes.txt"),
}


@pytest.mark.parametrize(("name", "target"), LINKS.values(), ids=LINKS.keys())
def test_link_that_is_not_read_is_refused(name: str, target: str, tmp_path: Path) -> None:
    written(tmp_path, "rules/d.rego")
    folder = written(tmp_path / "policy", "p.rego", "zoo/z.rego", "zoo/notes.txt")
    (folder / name).symlink_to(target)
    assert (read(folder), refused(folder)) == (["p.rego", "zoo/z.rego"], [name])


def test_second_link_to_the_same_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, "..real/a/p.rego")
    for link in ("one", "two"):
        (folder / link).symlink_to("..real/a")
    assert (read(folder), refused(folder)) == (["one/p.rego"], ["two"])


def test_folder_that_is_a_link_is_read(tmp_path: Path) -> None:
    written(tmp_path / "real", "p.rego")
    (tmp_path / "policy").symlink_to("real")
    assert read(tmp_path / "policy") == ["p.rego"]


def test_pipe_and_hidden_characters_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, "p.rego", "d\u202e.rego", "c\x1b[2J.rego")
    os.mkfifo(folder / "pipe.rego")
    assert sorted(refused(folder)) == ["c\x1b[2J.rego", "d\u202e.rego", "pipe.rego"]


def test_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        files(tmp_path / "missing")
