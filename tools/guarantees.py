"""Points each proof in docs/guarantees.md to the file that defines its test now; `make gen` runs it.

A test that no file defines, or more than one but not the one named, keeps its link: `make test` then says so.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guarantees.md"


def main() -> int:
    """Write the page with the links that it should have."""
    places = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE):
            places[name].append(f"../{file.relative_to(ROOT).as_posix()}")

    def proof(link: re.Match[str]) -> str:
        found = places[link[1]]
        return f"[`{link[1]}`]({found[0] if len(found) == 1 else link[2]})"

    PAGE.write_text(re.sub(r"\[`(test_\w+)`\]\(([^)]+)\)", proof, PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
