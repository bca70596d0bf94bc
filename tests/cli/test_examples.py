"""Every command of the tree: its help, its examples, and how it ends where nobody reads or nobody answers."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pdp.cli import app
from pdp.cli.examples import EXAMPLES, SECTIONS
from tests.cli.terminal import ROOT

WIDTH = 80
STARTS_SERVERS = {"dev", "demo"}


def tree(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, f"{path} {name}".strip())


ROOT_COMMAND = typer.main.get_command(app)
TREE = dict(tree(ROOT_COMMAND, ""))
LEAVES = sorted(path for path, command in TREE.items() if not hasattr(command, "commands"))

EACH = """
import contextlib, io, json, os, sys
import pdp.client, typer
from pdp.__main__ import main
from pdp.cli import app
with contextlib.redirect_stdout(io.StringIO()):  # loads what every command loads, once for all children
    typer.main.get_command(app)(["mask", "run", "--help"], standalone_mode=False)
for arguments in json.load(open(sys.argv[1])):
    error, inner = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(error)
        os.dup2(inner, 2)
        if sys.argv[2] == "closed":
            ours, theirs = os.pipe()
            os.close(ours)
            os.dup2(theirs, 1)
        else:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["pdp", *arguments]
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
            status = 99
        sys.stderr.flush()
        os._exit(status)
    os.close(inner)
    with os.fdopen(error, "rb") as said:
        text = said.read().decode(errors="replace")
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]), flush=True)
"""


def each(lines: list[list[str]], folder: Path, stdout: str, **more: str) -> list[tuple[int, str]]:
    """How each command ends, and what it says on standard error, in a child of one process that has loaded `pdp`."""
    (folder / "lines.json").write_text(json.dumps(lines))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    done = subprocess.run(
        [sys.executable, "-c", EACH, "lines.json", stdout],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(ROOT), "COLUMNS": str(WIDTH), **more},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("path", sorted(TREE))
def test_first_sentences_fit_the_line_of_a_list(path: str) -> None:
    below = getattr(TREE[path], "commands", {})
    width = WIDTH - 2 - 6 - max(map(len, below), default=0)
    for name, command in below.items():
        assert not command.get_short_help_str(width).endswith("..."), f"{path} {name}"


def test_root_lists_every_command_in_one_section() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(ROOT_COMMAND.commands)  # type: ignore[attr-defined]  # of a group
    shown = ROOT_COMMAND.get_help(typer.Context(ROOT_COMMAND))
    assert [line.strip(":") for line in shown.splitlines() if line.strip(":") in SECTIONS] == list(SECTIONS)


@pytest.mark.parametrize("path", LEAVES)
def test_every_help_has_examples_and_they_parse(path: str) -> None:
    assert "Examples:\n    " in TREE[path].get_help(typer.Context(TREE[path]))
    for line in EXAMPLES[path]:
        words = shlex.split(line)
        words = words[words.index("pdp") + 1 :]
        words = words[: words.index("|")] if "|" in words else words
        words = words[: words.index("<")] if "<" in words else words
        assert " ".join(words[: len(path.split())]) == path
        TREE[path].make_context(path, words[len(path.split()) :], resilient_parsing=False)


def test_short_options_and_long_ones_have_one_meaning() -> None:
    meanings: dict[str, set[str]] = {}
    for path in LEAVES:
        for parameter in TREE[path].params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                meanings.setdefault(option, set()).add(parameter.help)
    for option in ("-o", "--output", "-f", "--file", "--property", "--context"):
        assert len(meanings[option]) == 1, option
    assert all(meaning.startswith("The file to write") for meaning in meanings["--to"])


def helps() -> list[list[str]]:
    return [[*path.split(), "--help"] for path in sorted(TREE)]


def test_a_reader_that_goes_away_ends_every_command_quietly(tmp_path: Path) -> None:
    for line, (status, said) in zip(helps(), each(helps(), tmp_path, "closed"), strict=True):
        assert (line, status, said) == (line, 141, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_a_narrow_encoding_is_no_error(tmp_path: Path, encoding: str) -> None:
    done = each(helps(), tmp_path, "null", PYTHONIOENCODING=encoding)
    for line, (status, said) in zip(helps(), done, strict=True):
        assert (line, status, said) == (line, 0, "")


def examples() -> list[list[str]]:
    """An example of each command, without the person whose key is not here."""
    lines = []
    for path in LEAVES:
        if path not in STARTS_SERVERS:
            words = shlex.split(EXAMPLES[path][0])
            words = words[words.index("pdp") + 1 :]
            words = words[: min(words.index(mark) if mark in words else len(words) for mark in ("|", "<"))]
            if "--as" in words and path != "token":
                del words[words.index("--as") : words.index("--as") + 2]
            lines.append([{"1h": "1s", "30": "0.1"}.get(word, word) for word in words])
    return lines


def test_without_a_server_and_without_files_every_command_ends_with_a_sentence(tmp_path: Path) -> None:
    """In a folder that holds nothing, and with an address at which nothing answers."""
    done = each(examples(), tmp_path, "null", PDP_ADDRESS="127.0.0.1:1", PDP_TOKEN="t", PDP_STATE="nowhere")  # noqa: S106
    for line, (status, said) in zip(examples(), done, strict=True):
        assert "Traceback" not in said, (line, said)
        assert "Exception ignored" not in said, (line, said)
        assert status in {0, 1, 2, 3, 4, 13, 69}, (line, status, said)
        assert status == 0 or said.strip(), line
