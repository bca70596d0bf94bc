"""Writes docs/reference: the commands, the contract and the configuration, each from what defines it.

It also writes the table of errors in docs/wire.md.

`make gen` runs it. With `--check`, as `make lint` runs it, it writes nothing and ends with 1 if a page differs.
"""

import os
import subprocess
import sys
from pathlib import Path

from pages import commands, configuration, contract, reasons

PAGES = Path(__file__).parent.parent / "docs" / "reference"
WIRE = PAGES.parent / "wire.md"
"""Written by hand, but for its table of errors."""


def main() -> int:
    """Write the pages, or say which are not what they would be."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    if variables != dict(os.environ):  # else this machine's address would be shown as the default
        return subprocess.run([sys.executable, *sys.argv], env=variables, check=False).returncode
    pages = {"cli.md": commands.page(), "contract.md": contract.page(), "configuration.md": configuration.page()}
    texts = {PAGES / name: "\n".join(lines).rstrip() + "\n" for name, lines in pages.items()}
    texts[WIRE] = reasons.written(WIRE.read_text())
    if "--check" not in sys.argv:
        for path, text in texts.items():
            path.write_text(text)
        return 0
    stale = [path.name for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if stale:
        print(f"docs differ from what they are made of, run `make gen`: {', '.join(stale)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
