"""The documents are true: README's blocks run, links lead somewhere, ARCHITECTURE lists the files that there are.

How README is read. `bash` and `console` blocks are typed into one terminal, section by section; a console block's
other lines are what it shows, where `…` is anything. A command ends with status 0, or with the one in its comment
`# exit status 11`. A file's block follows a line that ends with its name: "In `ask.py`:". `apr_…` in a command is the
approval seen last. The `text` block is the story that `pdp demo` tells. Anything else fails.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
import typer

from pdp import __version__
from pdp.approval import TRANSITIONS
from pdp.cli import app, exit_code
from pdp.config import Certificates, Config, Issuer, SpeaksFor, Tls, Webhook
from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
FILES = {"python", "rego", "json", "toml"}
START_SECONDS = 30.0

# grpcurl and protoc are the reader's own; where this machine has none, ours stand in for them.
GRPCURL = """#!{python}
import os, sys
words = [word for word in sys.argv[1:] if word != "-plaintext"]
options, (address, method) = words[:-2], words[-2:]
where = ["--list-services", "http://" + address] if method == "list" else ["http://" + address + "/" + method]
os.execv("{buf}", ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", *options, *where])
"""
PROTOC = """#!/bin/sh
exec "{protoc}" "$@"
"""


@dataclass
class Block:
    line: int
    language: str
    text: str
    file: str


@dataclass
class Command:
    """What is typed, its exit status, and what it shows, if the block says so."""

    text: str
    status: int
    shown: list[str] = field(default_factory=list)


def sections() -> dict[str, list[Block]]:
    """README's blocks by their `##` section."""
    found: dict[str, list[Block]] = {}
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        before = README[: match.start()].rstrip()
        section = re.findall(r"^## (.+)$", before, re.MULTILINE)[-1]
        named = re.search(r"\bIn `([^`]+)`[^`]*:$", before.rpartition("\n\n")[2])
        file = named[1] if named and match[1] in FILES else ""
        found.setdefault(section, []).append(Block(before.count("\n") + 3, match[1], match[2], file))
    return found


def commands(block: Block) -> list[Command]:
    found: list[Command] = []
    typed, prompt = "", "$ " if block.language == "console" else ""
    for line in block.text.splitlines():
        if typed or (line.startswith(prompt) and (prompt or line.strip())):
            typed += line if typed else line.removeprefix(prompt)
            if typed.endswith("\\") or typed.count("'") % 2:
                typed += "\n"
                continue
            said = re.search(r"\s+# exit status (\d+)$", typed)
            found.append(Command(typed[: said.start()] if said else typed, int(said[1]) if said else 0))
            typed = ""
        elif prompt:
            assert found, f"README.md:{block.line}: output before any command"
            found[-1].shown.append(line)
    return found


def shows(wanted: list[str], output: str) -> bool:
    """Whether the output is what is wanted; no lines wanted is no claim, `…` is anything."""
    lines = [
        r"(?:.*\n)*"
        if line == "…"
        else re.sub("  +", "  +", re.sub(" *… *", ".*", re.escape(line).replace(r"\ ", " "))) + r" *\n"
        for line in wanted
    ]
    return not wanted or re.fullmatch("".join(lines), output) is not None


@dataclass
class Reader:
    """Somebody who types README's commands, in a folder that looks like the checkout."""

    folder: Path
    variables: dict[str, str]
    mongodb_uri: str
    processes: ExitStack
    approval: str = "apr_"

    def read(self, block: Block) -> None:
        if block.language in FILES:
            self.write(block)
        elif block.language == "text":
            output = self.terminal([Command("pdp demo", 0)], block)[0]
            assert shows(block.text.splitlines(), output), output
        elif block.language in {"bash", "console"}:
            self.type(block)
        else:
            pytest.fail(f"README.md:{block.line}: nobody knows how to try a block of {block.language!r}")

    def write(self, block: Block) -> None:
        assert block.file, f"README.md:{block.line}: say which file this is, by a line that ends: In `NAME`:"
        text = block.text
        if block.language == "toml":  # a database of its own, on the tests' MongoDB
            assert 'database = "placet"' in text
            text = text.replace('database = "placet"', f'database = "readme{uuid4().hex[:12]}"')
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def type(self, block: Block) -> None:
        """The commands that can be tried as they are in one shell; each other one by itself."""
        typed: list[Command] = []
        for command in commands(block):
            if (words := command.text.split())[0] == "make":
                subprocess.run([*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)
            elif words[:2] == ["pip", "install"]:
                self.can_install(shlex.split(command.text)[2])
            elif words[:2] in (["pdp", "serve"], ["pdp", "dev"]) and "--" not in words:
                self.run_typed(typed, block)
                self.serve(words)
                typed = []
            else:
                typed.append(command)
        self.run_typed(typed, block)

    def run_typed(self, typed: list[Command], block: Block) -> None:
        for command, output in zip(typed, self.terminal(typed, block), strict=True):
            assert shows(command.shown, output), f"README.md:{block.line}: {command.text}\nshows\n{output}"
            self.approval = (re.findall("apr_[0-9a-f]{32}", output) or [self.approval])[-1]

    def terminal(self, typed: list[Command], block: Block) -> list[str]:
        """Run the commands in one shell on a terminal; the output of each."""
        marked = "".join(f"{command.text}\nprintf '\\036%s\\036' $?\n" for command in typed)
        script = marked.replace("apr_…", self.approval).replace("localhost:4770", self.variables["PDP_ADDRESS"])
        pieces = on_terminal(script, self.folder, self.variables).split("\036")
        assert len(pieces) == 2 * len(typed) + 1, "".join(pieces)
        outputs, statuses = pieces[0::2][: len(typed)], [int(status) for status in pieces[1::2]]
        for command, output, status in zip(typed, outputs, statuses, strict=True):
            assert status == command.status, f"README.md:{block.line}: {command.text}\nexits with {status}\n{output}"
        return outputs

    def serve(self, words: list[str]) -> None:
        """Start what runs in the foreground on a free port; from here on the commands reach it."""
        own = ["--listen", "127.0.0.1:0"]
        state = self.folder / f"state-{uuid4().hex}"
        own += ["--mongodb-uri", self.mongodb_uri] if words[1] == "serve" else ["--state", f"{state}"]
        self.variables |= {"PDP_STATE": f"{state}", "PDP_TOKEN": ""}
        said = self.folder / f"{words[1]}.log"
        with said.open("w") as log:
            process = subprocess.Popen([*words, *own], cwd=self.folder, env=self.variables, stderr=log)
        self.processes.callback(stopped, process)
        until = time.monotonic() + START_SECONDS
        while not (ready := re.search(r"(?:serving|decides) on (\S+?),? ", said.read_text())):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.05)
        self.variables["PDP_ADDRESS"] = ready[1]

    def can_install(self, what: str) -> None:
        """What is installed in earnest by `make setup` is only looked up here."""
        extras = re.fullmatch(r"\.(?:\[(.*)\])?", what)
        assert extras, f"{what} is not this folder"
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert {extra for extra in (extras[1] or "").split(",") if extra} <= known.keys()


def stopped(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(START_SECONDS) == 0


def on_terminal(script: str, folder: Path, variables: dict[str, str]) -> str:
    """What a script shows on a terminal, both its outputs in order. Its input is empty, so nobody is asked."""
    ours, theirs = os.openpty()
    command = ["bash", "-c", script]
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # EIO is the end of a terminal
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        process.wait(60)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> Iterator[Reader]:
    folder, tools = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("tools")
    for name in (".venv", "pdp", "proto", "rego"):
        (folder / name).symlink_to(ROOT / name)
    beside = Path(sys.executable).parent
    stand_in(tools / "grpcurl", GRPCURL.format(python=sys.executable, buf=beside / "buf"))
    (tools / "opa").symlink_to(toolcache.opa(Environment.read().tool_cache))
    stand_in(tools / "protoc", PROTOC.format(protoc=ROOT / ".venv-gen/bin/python-grpc-tools-protoc"))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    variables |= {"PATH": f"{beside}:{os.environ['PATH']}:{tools}", "NO_COLOR": "1", "TERM": "dumb"}
    with ExitStack() as processes:
        reader = Reader(folder, variables, mongod.uri, processes)
        reader.serve(["pdp", "dev"])
        yield reader


def stand_in(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


@pytest.mark.parametrize("section", sections())
def test_the_blocks_of_a_section_run(reader: Reader, section: str) -> None:
    for block in sections()[section]:
        reader.read(block)


def test_the_configuration_is_complete() -> None:
    (block,) = (block for blocks in sections().values() for block in blocks if block.language == "toml")
    for model in (Config, Issuer, SpeaksFor, Tls, Certificates, Webhook):
        for name in model.model_fields:
            assert re.search(rf"\b{name}\b", block.text), name
    everything = re.sub(r"^# (?=\[|\w+ = )", "", block.text, flags=re.MULTILINE)
    values = tomllib.loads(everything.replace('policy = ["policy"]', ""))  # which `opa_url` takes the place of
    config = Config.model_validate(values)
    assert config.tls
    assert config.certificates
    assert config.webhooks


def test_the_exit_codes_are_those_of_the_commands() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = {value for name, value in vars(exit_code).items() if name.isupper() and isinstance(value, int)}
    assert {int(status) for status in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == codes


def test_every_guarantee_names_tests_that_exist() -> None:
    table = README.partition("## Guarantees")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        proofs = re.findall(r"\[`(\w+)`\]\(([^)]+)\)", row)
        assert proofs, row
        for name, path in proofs:
            assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}: {name}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / document).read_text()):
        path, _, heading = target.partition("#")
        if not re.match("https?:", target):
            assert (ROOT / (path or document)).exists(), target
            assert not heading or heading in headings((ROOT / (path or document)).read_text()), target


def headings(text: str) -> set[str]:
    """The anchors of a document, as a forge makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_that_are_mentioned_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", text)) <= targets
    root = typer.main.get_command(app)
    for words in re.findall(r"`pdp ([a-z ]+)", text):
        below = root
        for word in words.split():
            if (known := getattr(below, "commands", None)) is None:
                break
            assert word in known, f"pdp {words}"
            below = known[word]


def test_the_architecture_lists_every_file() -> None:
    listed = re.findall(r"^- `([^`]+)`", ARCHITECTURE.partition("## Files")[2].partition("\n## ")[0], re.MULTILINE)
    present = {
        path.relative_to(ROOT).as_posix()
        for folder in ("masker", "pdp", "proto", "rego", "tools")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith("_test.rego")
    }
    generated = {path for path in present if path.startswith("pdp/v1/")}
    assert len(set(listed)) == len(listed)
    assert set(listed) == (present - generated) | {"pdp/v1/"}


def test_the_architecture_quotes_the_states() -> None:
    steps = re.findall(r"^ *([A-Z]+) +-> (.*)$", ARCHITECTURE, re.MULTILINE)
    quoted = {state: set(after.split(" | ")) for state, after in steps}
    assert quoted == {state: after for state, after in TRANSITIONS.items() if after}


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
