"""The page of the commands. Typer's own classes are not public, so commands and parameters are taken as they come."""

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from pages.markdown import head, prose, table

from pdp.cli import app
from pdp.cli.examples import EXAMPLES

SHARED = 10
"""An option that this many commands have in the same words is one of all client commands, and described once."""


def page() -> Iterator[str]:
    """Every command with its arguments and options; what client commands share comes once, before them."""
    root = typer.main.get_command(app)
    found = list(_commands(root, "pdp"))
    uses = Counter(row for _, command in found for row in _rows(command, "option"))
    shared = [row for row, count in uses.items() if count >= SHARED]
    yield from head("Commands", f"{prose(root.help or '')} `pdp COMMAND --help` shows the same in a terminal.")
    yield from ("## Options of client commands", "", "Every command that calls a server takes most of these.", "")
    yield from table(("option", "meaning"), shared)
    for path, command in found:
        yield from _command(path, command, shared)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _command(path: str, command: Any, shared: Sequence[tuple[str, str]]) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(typer.Context(command)))
    yield from (f"## {path}", "", f"`{path} {pieces}`", "")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from (prose(paragraph), "")
    if lines := EXAMPLES.get(path.removeprefix("pdp ")):
        yield from ("; ".join(f"`{line}`" for line in lines), "")
    options = list(_rows(command, "option"))
    yield from table(("argument", "meaning"), _rows(command, "argument"))
    yield from table(("option", "meaning"), [row for row in options if row not in shared])
    if set(shared).intersection(options):
        but = [name for name, meaning in shared if (name, meaning) not in options]
        less = f" less {', '.join(but)}" if but else ""
        yield from (f"Also the [options of client commands](#options-of-client-commands){less}.", "")


def _rows(command: Any, kind: str) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        if parameter.param_type_name == kind:
            name, meaning = parameter.get_help_record(typer.Context(command))
            yield f"`{name}`", prose(meaning)
