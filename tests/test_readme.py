"""The documents are true: every block of README and of `docs/` runs as it stands, as `tests/documents.py` says."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.documents import PAGES, ROOT, sections
from tests.reader import Reader

# grpcurl and grpcio-tools are the reader's own; where this machine has none, ours stand in for them.
GRPCURL = """#!{python}
import os, sys
words = [word for word in sys.argv[1:] if word != "-plaintext"]
options, (address, method) = words[:-2], words[-2:]
where = ["--list-services", "http://" + address] if method == "list" else ["http://" + address + "/" + method]
os.execv("{buf}", ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", *options, *where])
"""
PROTOC = ROOT / ".venv-gen/bin/python-grpc-tools-protoc"

Readers = Callable[[str], Reader]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> Iterator[Readers]:
    """A reader for each document, in a folder of its own; all begin with the same `make dev`."""
    with ExitStack() as processes:
        first = Reader(checkout(tmp_path_factory), variables(tmp_path_factory.mktemp("tools")), mongod.uri, processes)
        first.serve(["pdp", "dev"])

        @cache
        def reader(_document: str) -> Reader:
            return Reader(checkout(tmp_path_factory), dict(first.variables), mongod.uri, processes)

        yield reader


def checkout(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("checkout")
    for name in (".venv", "pdp", "proto", "rego"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def variables(tools: Path) -> dict[str, str]:
    beside = Path(sys.executable).parent
    stand_in(tools / "grpcurl", GRPCURL.format(python=sys.executable, buf=beside / "buf"))
    (tools / "opa").symlink_to(toolcache.opa(Environment.read().tool_cache))
    (tools / PROTOC.name).symlink_to(PROTOC)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    return kept | {"PATH": f"{beside}:{os.environ['PATH']}:{tools}", "NO_COLOR": "1", "TERM": "dumb"}


def stand_in(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


@pytest.mark.parametrize(("document", "section"), [(page, section) for page in PAGES for section in sections(page)])
def test_the_snippets_of_a_section_run(readers: Readers, document: str, section: str) -> None:
    reader = readers(document)
    for block in sections(document)[section]:
        reader.read(block)
