"""The contract's part of `make lint`: style, compatibility with what was there, generated code up to date."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUF = Path(sys.executable).with_name("buf")
GENERATED = Path("pdp", "v1")


def main() -> int:
    """Run every check, each with its own words; 1 if any failed."""
    checks = (_buf("lint"), _buf("format", "--diff", "--exit-code"), _compatible(), _up_to_date())
    return 0 if all(checks) else 1


def _buf(*arguments: str, given: bytes = b"") -> bool:
    return subprocess.run([BUF, *arguments], cwd=ROOT, input=given, check=False).returncode == 0


def _compatible() -> bool:
    """No breaking change since the merge base with the default branch, if that has a contract."""
    base = _merge_base()
    archive = _git("archive", base, "proto") if base else None
    if not archive:
        print(f"breaking changes: nothing to compare with, no contract at {base or 'the default branch'} yet")
        return True
    return _buf("breaking", "--against", "-#format=tar", "--against-config", "buf.yaml", given=archive)


def _merge_base() -> str:
    """The commit to compare with; empty in a repository without commits or without a default branch."""
    for branch in ("origin/HEAD", "main"):
        if base := _git("merge-base", "HEAD", branch):
            return base.decode().strip()
    return ""


def _git(*arguments: str) -> bytes:
    """What git prints; empty when it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return b"" if done.returncode else done.stdout


def _up_to_date() -> bool:
    """The generated code is what `make gen` makes now: the same files with the same bytes."""
    with tempfile.TemporaryDirectory() as fresh:
        if not _buf("generate", "--output", fresh):
            return False
        wanted, present = _files(Path(fresh, GENERATED)), _files(ROOT / GENERATED)
        _, differing, missing = filecmp.cmpfiles(Path(fresh, GENERATED), ROOT / GENERATED, wanted | present, False)
    if stale := sorted({*differing, *missing}):
        print(f"generated code differs from proto/, run `make gen`: {', '.join(stale)}")
    return not stale


def _files(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*_pb2*")}


if __name__ == "__main__":
    sys.exit(main())
