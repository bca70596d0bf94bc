"""Finding OPA and MongoDB. Fetching OPA for real is what `make setup` does with an empty cache."""

import hashlib
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.process import toolcache


def program(file: Path, prints: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{prints}'\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_opa_on_the_path_comes_first(path: Path, tmp_path: Path) -> None:
    program(tmp_path / "cache" / f"opa-{toolcache.OPA_VERSION}", "")
    found = program(path / "opa", "Version: 1.4.0")
    assert toolcache.opa(tmp_path / "cache") == found


@pytest.mark.parametrize("prints", ["Version: 1.3.9", "Version: 0.70.0", "", "Version: new"])
def test_an_older_opa_on_the_path_gives_way_to_the_pinned_one(path: Path, tmp_path: Path, prints: str) -> None:
    pinned = program(tmp_path / "cache" / f"opa-{toolcache.OPA_VERSION}", "")
    program(path / "opa", prints)
    assert toolcache.opa(tmp_path / "cache") == pinned


def test_versions_are_compared_as_numbers(path: Path, tmp_path: Path) -> None:
    found = program(path / "opa", "Version: 1.10.0")
    assert toolcache.opa(tmp_path / "cache") == found


def test_without_opa_the_error_says_what_to_do(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"-m pdp\.process\.toolcache"):
        toolcache.opa(tmp_path / "cache")
    program(path / "opa", "Version: 1.3.9")
    with pytest.raises(SetupError, match=r"is not OPA .* or newer"):
        toolcache.opa(tmp_path / "cache")


def test_a_mongod_on_the_path_comes_first(path: Path) -> None:
    found = program(path / "mongod", "")
    assert toolcache.mongod() == found


def test_the_wheel_s_mongod_runs(path: Path) -> None:
    assert not path.exists()
    assert toolcache.mongod().stat().st_mode & 0o111


def go(file: Path, *, makes: str) -> Path:
    """A `go` whose `install` puts a program that prints `makes` where the real one would."""
    made = "$GOBIN/opa"
    script = f"""#!/bin/sh
[ "$*" = "install github.com/open-policy-agent/opa@v{toolcache.OPA_VERSION}" ] || exit 1
printf '#!/bin/sh\\necho "{makes}"\\n' > {made}
/bin/chmod 755 {made}
"""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(script)
    file.chmod(0o755)
    return file


def test_opa_is_built_into_the_cache_and_the_time_is_named(path: Path, tmp_path: Path) -> None:
    said: list[str] = []
    go(path / "go", makes=f"Version: {toolcache.OPA_VERSION}")
    built = toolcache.install_opa(tmp_path / "cache", said.append)
    assert toolcache.opa(tmp_path / "cache") == built
    assert list((tmp_path / "cache").iterdir()) == [built]
    assert "about 80 s" in said[0]


def test_another_version_never_enters_the_cache(path: Path, tmp_path: Path) -> None:
    go(path / "go", makes="Version: 1.22.1")
    with pytest.raises(SetupError, match="is not OPA"):
        toolcache.install_opa(tmp_path / "cache", print)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(("checksum", "accepted"), [("", True), ("0" * 64, False)])
def test_a_download_must_match_the_checksum_beside_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checksum: str, *, accepted: bool
) -> None:
    assert not path.exists()
    release = tmp_path / "release"
    name = toolcache._release_name()
    binary = program(release / name, f"Version: {toolcache.OPA_VERSION}").read_bytes()
    digest = checksum or hashlib.sha256(binary).hexdigest()
    (release / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    monkeypatch.setattr(toolcache, "_RELEASE", release.as_uri())
    if accepted:
        assert toolcache.install_opa(tmp_path / "cache", print).exists()
        return
    with pytest.raises(SetupError, match="does not match its checksum"):
        toolcache.install_opa(tmp_path / "cache", print)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_failed_download_says_what_to_do(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not path.exists()
    monkeypatch.setattr(toolcache, "_RELEASE", (tmp_path / "nothing").as_uri())
    with pytest.raises(SetupError, match="install Go"):
        toolcache.install_opa(tmp_path / "cache", print)
