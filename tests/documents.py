"""How a document is read: its blocks by section, and a block's commands with what they show.

`bash` and `console` blocks are typed into one terminal, section by section; a console block's other lines are what it
shows, where `…` is anything. A command ends with status 0, or with the one in its comment `# exit status 11`. A file's
block follows a line that ends with its name: "In `ask.py`:". `apr_…`, `rec_…` or `dec_…` in a command is the id that a
block before showed last, alone of its kind. A `text` block is what `pdp demo` prints. Anything else fails.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
"""Every block of these runs."""
DOCUMENTS = [*PAGES, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
FILES = {"python", "rego", "json", "toml", "go", "typescript", "java", "rust", "cpp", "xml", "yaml"}


@dataclass
class Block:
    place: str
    language: str
    text: str
    file: str


@dataclass
class Command:
    """What is typed, its exit status, and what it shows, if the block says so."""

    text: str
    status: int
    shown: list[str] = field(default_factory=list)


@cache
def text(document: str) -> str:
    return (ROOT / document).read_text()


@cache
def sections(document: str) -> dict[str, list[Block]]:
    """A document's blocks by their `##` section, or by its title before the first."""
    found: dict[str, list[Block]] = {}
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text(document), re.MULTILINE | re.DOTALL):
        before = text(document)[: match.start()].rstrip()
        prose = re.sub(r"^```\w*\n.*?^```$", "", before, flags=re.MULTILINE | re.DOTALL)
        section = re.findall(r"^##? (.+)$", prose, re.MULTILINE)[-1]
        named = re.search(r"\bIn\s`([^`]+)`[^`]*:$", before.rpartition("\n\n")[2])
        file = named[1] if named and match[1] in FILES else ""
        place = f"{document}:{before.count(chr(10)) + 3}"
        found.setdefault(section, []).append(Block(place, match[1], match[2], file))
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
            assert found, f"{block.place}: output before any command"
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


def section(document: str, heading: str) -> str:
    """The text below a `##` heading."""
    return text(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def anchors(document: str) -> set[str]:
    """The anchors of a document's headings, as a forge makes them."""
    titles = re.findall(r"^#+ (.+)$", text(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


def rows(markdown: str) -> list[list[str]]:
    """The cells of the rows of Markdown's tables, less their heads."""
    tables = re.findall(r"(?:^\|.*\n?)+", markdown, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
