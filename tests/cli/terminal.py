"""Somebody who types `pdp` commands: real processes, so that exit statuses, streams and signals are what users meet."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from asyncio.subprocess import Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pdp.cli import app
from tests.forked import Forked, forked, heeded, may_be

PDP = [sys.executable, "-m", "pdp"]
ROOT = Path(__file__).parents[2]
SECONDS = 60
SERVE = (["serve"], ["dev"])
FRESH = {"demo", "--block-exit"}
"""Words of commands that are about processes, or about what loads when: these start an interpreter of their own."""
AS_ALICE = ["--subject", "agent:report-bot", "--on-behalf-of", "user:alice", "--resource", "table:customers"]
EXPORT = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "export", "--property", 'tags=["pii"]']


def without_anchors(state: Path, folder: Path) -> str:
    """A copy of the state folder for who verifies a log: the servers of all tests share one realm, and so anchors."""
    return str(shutil.copytree(state, folder / "own-state", ignore=shutil.ignore_patterns("anchors")))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Terminal:
    """Runs commands in a folder, with an environment in which no other PDP_ variable is set."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
        log = {"PDP_LOG_FORMAT": "console", "PDP_LOG_LEVEL": "warning"}
        cache = {"PDP_TOOL_CACHE": os.environ["PDP_TOOL_CACHE"]} if "PDP_TOOL_CACHE" in os.environ else {}
        return {**inherited, **cache, **log, "PYTHONPATH": str(ROOT), **self.variables, **more}

    async def start(self, *arguments: str | Path, command: list[str] = PDP, **more: str) -> Process | Forked:
        """A command that runs. It is forked, unless it has a `command` or variables of its own."""
        typed = [*map(str, arguments)]
        is_usual = command is PDP and all(name.startswith("PDP_") for name in {**self.variables, **more})
        if is_usual and not FRESH & {*typed} and may_be(typed):
            serves, environment = typed[:1] in SERVE, self.environment(**more)
            return await forked(*typed, folder=self.folder, environment=environment, serves=serves)
        with heeded():
            return await asyncio.create_subprocess_exec(
                *command,
                *typed,
                cwd=self.folder,
                env=self.environment(**more),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    async def __call__(
        self, *arguments: str | Path, given: str | bytes = b"", command: list[str] = PDP, **more: str
    ) -> Done:
        entered = given.encode() if isinstance(given, str) else given
        async with asyncio.timeout(SECONDS):
            process = await self.start(*arguments, command=command, **more)
            out, err = await process.communicate(entered)
            assert process.returncode is not None
        decoded = (written.decode(errors="backslashreplace") for written in (out, err))
        return Done(process.returncode, *decoded)


def invoked(*arguments: str | Path) -> int:
    """The exit status of a command that calls no server, run in this process."""
    with pytest.raises(SystemExit) as end:
        app(list(map(str, arguments)))
    assert isinstance(end.value.code, int)
    return end.value.code


def is_harmless(shown: str) -> bool:
    """Whether nothing in it deceives who reads it on a terminal."""
    allowed = all(
        character in " \n" or (unicodedata.category(character)[0] in "LMNPS" and character not in "\u2800\u3164\uffa0")
        for character in shown
    )
    return allowed and "\x1b" not in shown and not re.search("[\u0300-\u036f]{3}", shown)
