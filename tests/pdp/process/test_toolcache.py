"""Finding OPA and MongoDB. Fetching OPA for real is what `make setup` does with an empty cache."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


@contextmanager
def releases(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one binary at every path, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if content else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A release."""
    return program(tmp_path / "made", f"Version: {toolcache.OPA_VERSION}").read_bytes()


def known(content: bytes) -> dict[str, str]:
    return {toolcache.release_name(): hashlib.sha256(content).hexdigest()}


def test_a_release_of_the_known_checksum_comes_before_go(path: Path, tmp_path: Path, content: bytes) -> None:
    go(path / "go", makes="Version: 9.9.9")
    with releases(content) as (url, asked):
        made = toolcache.install_opa(tmp_path / "cache", print, url=url, checksums=known(content))
    assert asked == [f"/v1/{toolcache.release_name()}"]
    assert toolcache.opa(tmp_path / "cache") == made
    assert toolcache.install_opa(tmp_path / "cache", print, url="http://127.0.0.1:1") == made


def test_a_release_that_does_not_match_ends_it_with_no_other_way(path: Path, tmp_path: Path, content: bytes) -> None:
    go(path / "go", makes=f"Version: {toolcache.OPA_VERSION}")
    with releases(content + b"#") as (url, _), pytest.raises(SetupError, match="is not the one that was released"):
        toolcache.install_opa(tmp_path / "cache", print, url=url, checksums=known(content))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("problem", ["not there", "no checksum", "no server"])
def test_where_there_is_no_release_go_builds_it(path: Path, tmp_path: Path, content: bytes, problem: str) -> None:
    go(path / "go", makes=f"Version: {toolcache.OPA_VERSION}")
    with releases(b"" if problem == "not there" else content) as (url, asked):
        place = "http://127.0.0.1:1" if problem == "no server" else url
        checksums = {} if problem == "no checksum" else known(content)
        toolcache.install_opa(tmp_path / "cache", print, url=place, checksums=checksums)
    assert len(asked) == (problem == "not there")
    assert list((tmp_path / "cache").iterdir())


def test_where_neither_can_be_had_one_sentence_says_both(path: Path, tmp_path: Path, content: bytes) -> None:
    assert not path.exists()
    with pytest.raises(SetupError) as nothing:
        toolcache.install_opa(tmp_path / "cache", print, url="http://127.0.0.1:1", checksums=known(content))
    assert re.fullmatch(
        r"OPA \S+ cannot be had: 127\.0\.0\.1:1 does not give it \(.*refused\), and there is no Go to build it; put "
        "`opa` on the PATH",
        nothing.value.sentence,
    )
    program(path / "go", "")
    (path / "go").write_text("#!/bin/sh\necho 'no module' >&2\nexit 1\n")
    with pytest.raises(SetupError, match=r"is known, and `go install` failed \(no module\); put"):
        toolcache.install_opa(tmp_path / "cache", print, checksums={})


def test_checksums_are_of_releases_that_exist() -> None:
    """A name or a digest that is misspelt would send that platform to Go without a word."""
    for name, digest in toolcache.CHECKSUMS.items():
        assert re.fullmatch(r"opa_(?:linux|darwin)_(?:amd64|arm64)(?:_static)?|opa_windows_amd64\.exe", name)
        assert re.fullmatch(r"[0-9a-f]{64}", digest)
