"""Builds the documents as a site in build/site; a link that leads nowhere fails.

Documents link to each other and to files of the repository by relative paths. So the site's source is a copy of the
documents, and of every file that they link to, each under its own path.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "build" / "documents"


def main() -> int:
    """Copy, then build with the program that is named."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    waiting, copied = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], set[Path]()
    while waiting:
        file = waiting.pop()
        if file not in copied:
            copied.add(file)
            _copy(file)
            waiting += _linked(file) if file.suffix == ".md" else []
    return subprocess.run([*sys.argv[1:], "build", "--clean", "--strict"], cwd=ROOT, check=False).returncode


def _copy(file: Path) -> None:
    target = SOURCE / file.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _linked(document: Path) -> list[Path]:
    """The files that a document links to. A missing one, or a folder, is an error: a site shows neither."""
    targets = re.findall(r"\]\(([^)\s#]+)", document.read_text())
    files = [(document.parent / target).resolve() for target in targets if not re.match("https?:", target)]
    if wrong := [file for file in files if not file.is_file()]:
        sys.exit(f"{document.relative_to(ROOT)} links to what is not a file: {', '.join(map(str, wrong))}")
    return files


if __name__ == "__main__":
    sys.exit(main())
