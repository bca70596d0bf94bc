"""Parts of a page in Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence


def head(title: str, what: str) -> Iterator[str]:
    """The title, what the page has, and how it is made."""
    yield from (f"# {title}", "", f"{what} `make gen` makes this page; do not edit it.", "")


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table with an empty line behind it; without rows, nothing."""
    lines = ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    if lines:
        yield from (f"| {' | '.join(names)} |", "|---" * len(names) + "|", *lines, "")


def _cell(text: str) -> str:
    """Text whose bars do not end its cell. Renderers differ on escaped bars in code, so a choice there gets slashes."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part.replace("|", "/" if part.startswith("`") else r"\|") for part in parts)


def prose(text: str) -> str:
    """A comment or docstring on one line, with nothing that Markdown or HTML would take for its own."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*")
