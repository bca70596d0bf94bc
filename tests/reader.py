"""Somebody who types a document's commands, in a folder that looks like the checkout."""

import os
import re
import shlex
import signal
import subprocess
import time
import tomllib
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.documents import FILES, ROOT, Block, Command, commands, shows

START_SECONDS = 30.0
PLACES = {"localhost:4770": "PDP_ADDRESS", "localhost:4780": "READER_HTTP"}
"""Where a document says that `pdp dev` is, and the variable that says where it is."""


@dataclass
class Reader:
    """One reader of one document; what it starts ends with `processes`."""

    folder: Path
    variables: dict[str, str]
    mongodb_uri: str
    processes: ExitStack
    seen: dict[str, str] = field(default_factory=dict)

    def read(self, block: Block) -> None:
        if block.language in FILES:
            self.write(block)
        elif block.language == "text":
            output = self.terminal([Command("pdp demo", 0)], block, somebody_sits_there=True)[0]
            assert shows(block.text.splitlines(), output), output
        elif block.language in {"bash", "console"}:
            self.type(block)
        elif block.language == "mermaid":
            assert block.text.startswith("flowchart"), "a picture"
        else:
            pytest.fail(f"{block.place}: nobody knows how to try a block of {block.language!r}")

    def write(self, block: Block) -> None:
        assert block.file, f"{block.place}: say which file this is, by a line that ends: In `NAME`:"
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
            assert shows(command.shown, output), f"{block.place}: {command.text}\nshows\n{output}"
            for kind in ("apr", "rec", "dec"):
                if len(names := set(re.findall(rf"\b{kind}_[0-9a-f]{{32}}\b", output))) == 1:
                    self.seen |= {kind: names.pop()}

    def terminal(self, typed: list[Command], block: Block, *, somebody_sits_there: bool = False) -> list[str]:
        """Run the commands in one shell on a terminal; the output of each."""
        script = "".join(f"{command.text}\nprintf '\\036%s\\036' $?\n" for command in typed)
        for kind, name in self.seen.items():
            script = script.replace(f"{kind}_…", name)
        shown = on_terminal(self.placed(script), self.folder, self.variables, somebody_sits_there=somebody_sits_there)
        pieces = shown.split("\036")
        assert len(pieces) == 2 * len(typed) + 1, "".join(pieces)
        outputs, statuses = pieces[0::2][: len(typed)], [int(status) for status in pieces[1::2]]
        for command, output, status in zip(typed, outputs, statuses, strict=True):
            assert status == command.status, f"{block.place}: {command.text}\nexits with {status}\n{output}"
        return outputs

    def placed(self, script: str) -> str:
        """A script that reaches what runs for this reader."""
        for place, variable in PLACES.items():
            script = script.replace(place, self.variables.get(variable, place))
        return script

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
        self.variables["PDP_ADDRESS"] = said_by(process, said, r"(?:serving|decides) on (\S+?),? ")
        if words[1] == "dev":
            self.variables["READER_HTTP"] = said_by(process, said, r"HTTP is on http://(\S+)\.\n")

    def can_install(self, what: str) -> None:
        """What is installed in earnest by `make setup` is only looked up here."""
        extras = re.fullmatch(r"\.(?:\[(.*)\])?", what)
        assert extras, f"{what} is not this folder"
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert {extra for extra in (extras[1] or "").split(",") if extra} <= known.keys()


def said_by(process: "subprocess.Popen[bytes]", log: Path, pattern: str) -> str:
    """What the pattern's group is in what the process says, once it says it."""
    until = time.monotonic() + START_SECONDS
    while not (found := re.search(pattern, log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    return found[1]


def stopped(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(START_SECONDS) == 0


def on_terminal(script: str, folder: Path, variables: dict[str, str], *, somebody_sits_there: bool = False) -> str:
    """What a script shows on a terminal, both its outputs in order.

    Its input is empty, so that no command asks; or that very terminal, where somebody sits who types nothing.
    """
    ours, theirs = os.openpty()
    command = ["bash", "-c", script]
    given = theirs if somebody_sits_there else subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, env=variables, stdin=given, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # EIO is the end of a terminal
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        process.wait(60)
    return shown.decode().replace("\r\n", "\n")
