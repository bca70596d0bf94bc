"""The files of a policy, read once: which count, under which names, and what their revision is of."""

from pathlib import Path, PurePosixPath

import pytest

from pdp.errors import SetupError
from pdp.policy.sources import CORE, Source, core, labels, read, rego, revision, shown, staged


def policy(folder: Path, **files: str) -> Path:
    """A folder with these files; `__` in a name is a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def authored(*folders: Path) -> list[str]:
    return [source.name for source in read(folders) if source.label != CORE]


def test_every_bundle_holds_the_core(tmp_path: Path) -> None:
    found = read([policy(tmp_path, **{"a.rego": "package policy"})])
    assert {source.path.name for source in found if source.label == CORE} == {
        path.name for path in core().rglob("*") if path.suffix in {".rego", ".json", ".yaml", ".yml"}
    }
    assert core().parent == rego()


def test_hidden_file_is_refused_and_other_files_do_not_count(tmp_path: Path) -> None:
    files = {"p.rego": "", "data.yml": "", "x__data.json": "{}", "notes.md": "", ".git__a.rego": "", "x__.b.rego": ""}
    folder = policy(tmp_path / "mine", **files)
    found = [source for source in read([folder]) if source.label != CORE]
    assert {source.name for source in found if source.refused} == {"mine/x/.b.rego"}
    assert {source.name for source in found if not source.refused} == {
        "mine/data.yml", "mine/p.rego", "mine/x/data.json"
    }  # fmt: skip
    for source in found:
        kinds = [source.is_rego, source.is_test, source.is_schema, source.is_data]
        assert any(kinds) is not bool(source.refused)


def test_copy_of_the_core_counts_once_and_one_that_was_changed_counts(tmp_path: Path) -> None:
    copied = {f"pdp__{path.name}": path.read_text() for path in core().glob("*.rego")}
    assert authored(policy(tmp_path / "mine", **copied)) == []
    name = next(iter(copied))
    policy(tmp_path / "mine", **{name: copied[name] + "\n"})
    assert authored(tmp_path / "mine") == [f"mine/{name.replace('__', '/')}"]


def test_folders_of_one_name_are_told_apart_and_none_is_called_like_the_core(tmp_path: Path) -> None:
    folders = [policy(tmp_path / where, **{"a.rego": ""}) for where in ("x/rules", "y/rules", "z/pdp", "z/odd name!")]
    found = read(folders)
    names = labels(source for source in found if source.label != CORE)
    assert len(names) == 4
    assert CORE not in names
    assert all(name.replace("_", "").replace("-", "").isalnum() for name in names)
    for source in found:
        assert shown(found, source.name) == source.shown


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=name):
        read([tmp_path / name])


def test_name_that_is_nobodys_is_shown_as_it_is() -> None:
    assert shown([], "policy/a.rego") == "policy/a.rego"


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("policy.rego", {"rego"}),
        ("policy_test.rego", {"rego", "test"}),
        ("lib/time_test.rego", {"rego", "test"}),
        ("test.rego", {"rego"}),
        ("data.json", {"data"}),
        ("roles/data.yaml", {"data"}),
        ("roles/data.yml", {"data"}),
        ("roles/people.json", set()),
        ("schema/input.json", {"schema"}),
        ("schema/resource/data.json", {"schema"}),
        ("schema/data.yaml", {"data"}),
        ("lib/schema/data.json", {"data"}),
    ],
)
def test_kind_follows_from_the_path(path: str, kinds: set[str]) -> None:
    source = Source("mine", PurePosixPath(path), path, b"")
    assert {kind for kind in ("rego", "test", "schema", "data") if getattr(source, f"is_{kind}")} == kinds
    assert source.name == f"mine/{path}"


def source(label: str, path: str, content: bytes) -> Source:
    return Source(label, PurePosixPath(path), path, content)


def test_revision_is_of_names_and_contents_alone() -> None:
    one, other = source("a", "x.rego", b"1"), source("a", "y.rego", b"2")
    assert revision([one, other]) == revision([other, one])
    changed = [
        [one],
        [one, source("a", "y.rego", b"3")],
        [one, source("a", "z.rego", b"2")],
        [one, source("b", "y.rego", b"2")],
        [source("a", "x.rego1", b""), other],
        [source("a", "x.reg", b"o1"), other],
    ]
    assert len({revision(sources) for sources in changed} | {revision([one, other])}) == len(changed) + 1


def test_staged_files_are_gone_afterwards() -> None:
    sources = [source("a", "deep/x.rego", b"1"), source("b", "y.rego", b"2")]
    with staged(sources) as folder:
        assert sorted(path.name for path in folder.iterdir()) == labels(sources) == ["a", "b"]
        assert (folder / "a" / "deep" / "x.rego").read_bytes() == b"1"
    assert not folder.exists()
