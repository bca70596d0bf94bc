"""What is printed steers no terminal, and only one file prints."""

import ast
import logging
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pdp import correlation
from pdp.cli import app
from pdp.environment import Environment
from pdp.policy.live import WatchedPolicy
from pdp.process.toolcache import opa
from pdp.say import Printable, give, say, tell

CLEAR = "\x1b[2J\x1b[H\u202e"
SHOWN = "\\u{1b}[2J\\u{1b}[H\\u{202e}"


def test_hidden_characters_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"a\n{CLEAR}b")
    tell(f"c \\ {CLEAR}")
    give('{"d": "\u00e9"}')
    assert capsys.readouterr() == (f'c \\ {SHOWN}\n{{"d": "\u00e9"}}\n', f"a\n{SHOWN}b\n")


def test_log_shows_them_too() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "it said %s", (CLEAR,), None)
    assert Printable("%(message)s").format(record) == f"it said {SHOWN}"


def test_log_names_the_http_request_before_a_traceback() -> None:
    def formatted() -> str:
        correlation.begin("a1")
        try:
            int("x")
        except ValueError:
            record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
        return Printable("%(message)s").format(record)

    assert copy_context().run(formatted).splitlines()[0] == "failed [request a1]"


def bad(folder: Path) -> Path:
    folder.mkdir()
    (folder / "p.rego").write_text('package policy\n\nallow contains {"rule": "a", "reason": "r"}\n')
    (folder / f"d{CLEAR}.rego").write_text("package policy\n")
    (folder / "data.json").write_text('{"a\\u001b[2J": 1, "groups": {"g\\u001b[H": 1}}')
    return folder


def test_check_prints_no_escape_of_a_file_or_a_key(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["policy", "check", str(bad(tmp_path / "policy"))])
    assert done.exit_code == 3
    assert "\x1b" not in done.output
    assert "d\\u{1b}[2J" in done.output
    assert "groups.g\\u{1b}[H" in done.output


async def test_reload_prints_no_escape_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def unused() -> dict[str, object]:
        return {}

    policy = WatchedPolicy(opa(Environment.read().tool_cache), [bad(tmp_path / "p")], tmp_path / "b", say, unused)
    try:
        await policy.build()
    except Exception as error:  # noqa: BLE001  # as the watch prints it
        say(str(error))
    assert "\x1b" not in capsys.readouterr().err


def printing(path: Path) -> Iterator[int]:
    """The lines that print."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id="print") | ast.Attribute(attr="echo" | "secho" | "print_exc"):
                    yield node.lineno
                case ast.Attribute(attr="write", value=ast.Attribute(attr="stdout" | "stderr")):
                    yield node.lineno


def test_one_file_prints() -> None:
    files = [path for path in Path("pdp").rglob("*.py") if "v1" not in path.parts]
    assert {str(path) for path in files if list(printing(path))} == {"pdp/say.py"}
    consoles = {str(path) for path in files if "Console(" in path.read_text()}
    assert consoles == {"pdp/cli/session.py", "pdp/cli/mask_files.py"}
