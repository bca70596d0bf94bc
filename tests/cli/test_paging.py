"""How many entries a page of a list may have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pdp.cli import app
from tests.cli.terminal import Terminal

LISTS = ["approvals history", "approvals list", "audit list", "mask jobs list"]


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("size", ["0", "-1", "101"])
async def test_size_beyond_the_range_is_refused_with_the_range(tmp_path: Path, command: str, size: str) -> None:
    done = await Terminal(tmp_path)(*command.split(), "--page-size", size)
    assert (done.status, done.out) == (2, "")
    assert f"{size} is not in the range 1 to 100" in done.err


def test_those_are_all_lists_with_pages() -> None:
    assert sorted(with_pages(typer.main.get_command(app))) == LISTS


def with_pages(command: Any, way: str = "") -> Iterator[str]:
    if any("--page-size" in one.opts for one in command.params):
        yield way
    for name, below in getattr(command, "commands", {}).items():
        yield from with_pages(below, f"{way} {name}".strip())
