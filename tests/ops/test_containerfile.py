"""The image's steps are those of `ops/install.sh`; `ops/pin` names the base's digest."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pdp.process import toolcache

CONTAINERFILE = Path("ops/Containerfile")
DIGEST = f"sha256:{'5' * 64}"


def test_it_has_two_stages_of_one_base_and_a_user_of_its_own() -> None:
    text = CONTAINERFILE.read_text()
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == ["${BASE} AS build", "${BASE}"]
    assert re.search(r"^ARG BASE=python:3\.13-slim(@sha256:\w+)?$", text, re.MULTILINE)
    assert "\nUSER 65532:65532\n" in text
    assert re.search(r'^HEALTHCHECK .* CMD \["pdp", "healthcheck"\]$', text, re.MULTILINE)


def test_every_folder_that_is_installed_is_in_the_image() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", CONTAINERFILE.read_text(), re.MULTILINE))
    assert copied == {"masker", "ops", "pdp", "rego"}


@pytest.mark.parametrize("file", ["ops/Containerfile", "docs/kubernetes.md", "docs/vm.md"])
def test_what_is_said_of_the_checksum_of_opa_is_so(file: str) -> None:
    """With one in `CHECKSUMS` the release is fetched: then these sentences go, and say that."""
    said = " ".join(Path(file).read_text().replace("\n# ", " ").split())
    denied = re.search(rf"[Nn]o checksum of OPA {re.escape(toolcache.OPA_VERSION)} is kept here", said)
    assert bool(denied) == (not toolcache.CHECKSUMS)


def locked(file: str) -> set[str]:
    return set(re.findall(r"^(\S+==\S+)", Path(file).read_text(), re.MULTILINE))


@pytest.mark.parametrize("image", ["server", "server-mask"])
def test_images_have_the_versions_that_the_tests_ran_with(image: str) -> None:
    pins, ours = (locked(f"{folder}.lock") for folder in (f"ops/requirements-{image}", "requirements"))
    assert len(pins) > 30
    assert pins <= ours
    assert any(pin.startswith("numba==") for pin in pins) == (image == "server-mask")
    assert not [pin for pin in pins if pin.startswith(("pytest", "mypy", "fiftyone"))]


class Registry(BaseHTTPRequestHandler):
    """A registry that gives a token to everybody, and a digest to who has it."""

    def do_HEAD(self) -> None:
        asked = self.path, self.headers.get("Authorization")
        if asked == ("/v2/library/python/manifests/3.13-slim", "Bearer t0ken"):
            self.answer(200, "Docker-Content-Digest", DIGEST)
        else:
            host = f"http://127.0.0.1:{self.server.server_address[1]}"
            scope = "repository:library/python:pull"
            self.answer(401, "WWW-Authenticate", f'Bearer realm="{host}/token",service="here",scope="{scope}"')

    def do_GET(self) -> None:
        assert self.path == "/token?service=here&scope=repository%3Alibrary%2Fpython%3Apull"
        self.answer(200, "Content-Type", "application/json", b'{"token": "t0ken"}')

    def answer(self, status: int, name: str, value: str, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def pinned(file: Path, registry: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "ops/pin", "--registry", registry, "--file", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_digest_of_the_base_is_written_and_renewed(tmp_path: Path, registry: str) -> None:
    copy = tmp_path / "Containerfile"
    copy.write_text(CONTAINERFILE.read_text().replace("3.13-slim", f"3.13-slim@sha256:{'1' * 64}"))
    assert pinned(copy, registry).stdout == f"python:3.13-slim is {DIGEST}\n"
    assert f"ARG BASE=python:3.13-slim@{DIGEST}\n" in copy.read_text()
    assert copy.read_text().replace(f"@{DIGEST}", "") == CONTAINERFILE.read_text()


def test_without_a_registry_nothing_is_written(tmp_path: Path) -> None:
    copy = tmp_path / "Containerfile"
    copy.write_text(CONTAINERFILE.read_text())
    done = pinned(copy, "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not say which image python:3.13-slim is" in done.stderr
    assert copy.read_text() == CONTAINERFILE.read_text()
