"""Shows that the tests bite: `python -m tests.bite [NAME ...]`.

Each `*.patch` beside this file takes one safeguard out and begins with a line `Test: <pytest node>`. In a copy of the
tree that test must pass; with the patch applied it must fail, within `LIMIT_SECONDS`: a test that hangs tells nobody.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", ".placet", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")
PASSED, FAILED, HUNG = 0, 1, -signal.SIGKILL
LIMIT_SECONDS = 300.0
"""Seconds that the tests of one patch may take: each test has 120 by itself, and some patches name a few."""


def main(names: Sequence[str]) -> int:
    patches = [patch for patch in sorted(HERE.glob("*.patch")) if not names or patch.stem in names]
    with copied() as tree:
        whole = pytest(tree, *{test(patch) for patch in patches}, seconds=LIMIT_SECONDS * len(patches))
    if not patches or whole.returncode != PASSED:
        sys.exit(f"nothing to take out, or the tests do not pass with everything in:\n{whole.stdout}")
    toothless = [patch.stem for patch in patches if not bites(patch)]
    say(f"{len(patches) - len(toothless)} of {len(patches)} bite")
    return 1 if toothless else 0


def bites(patch: Path) -> bool:
    """Whether the patch's test fails with it."""
    with copied() as tree:
        applied = run(["git", "apply", patch], tree)
        without = pytest(tree, test(patch)) if applied.returncode == 0 else applied
    is_biting = without is not applied and without.returncode == FAILED
    slow = f", ended after {LIMIT_SECONDS:.0f} s" if without.returncode == HUNG else ""
    say(f"{'bites' if is_biting else 'DOES NOT BITE'}: {patch.stem} ({test(patch)}){slow}")
    if not is_biting:
        say(without.stderr + without.stdout)
    return is_biting


def test(patch: Path) -> str:
    return patch.read_text().partition("\n")[0].removeprefix("Test: ")


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="placet-bite-") as folder:
        yield shutil.copytree(ROOT, Path(folder, "tree"), ignore=NOT_COPIED)


def pytest(tree: Path, *tests: str, seconds: float = LIMIT_SECONDS) -> "subprocess.CompletedProcess[str]":
    return run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], tree, seconds)


def run(
    command: Sequence[str | Path], tree: Path, seconds: float = LIMIT_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """The command in a group of its own, which is killed where it takes longer; then its status is `HUNG`.

    Its output goes to a file: the end of a pipe would be waited for as long as any process that it left behind has it.
    """
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, cwd=tree, stdout=output, stderr=output, start_new_session=True)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
        output.seek(0)
        return subprocess.CompletedProcess(command, status, output.read(), "")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
