"""What an attack on a policy costs: the whole command, the reference policy, at least 10,000 changes, at most 10 s.

    python -m tests.bench.attack [--rounds N]

The requests are made up: each names another table, so that no two have a change in common. The processor's seconds are
of the command with its OPA: the time that a quiet machine takes is below them.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHANGES, SECONDS = 10_000, 10
REQUESTS = 130
"""Requests with about 78 changes each."""


def request(number: int) -> str:
    properties = {"tags": ["pii", "hr"], "rows": number, "format": "csv", "columns": ["name", "email"]}
    return json.dumps(
        {
            "subject": {"type": "agent", "id": "report-bot"},
            "onBehalfOf": [{"type": "user", "id": "alice"}],
            "action": {"name": ("export", "share", "read", "mask")[number % 4]},
            "resource": {"type": "table", "id": f"crm.table{number}", "properties": properties},
            "context": {"rows": number, "purpose": "report", "run": {"id": "r1", "retry": False}},
        }
    )


def attacked(file: Path) -> tuple[int, float, float]:
    """The changes of one run, its seconds, and the processor's."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "pdp", "policy", "attack", "-f", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    changes = re.search(r"(\d+) changes", done.stderr)
    if changes is None:
        sys.exit(done.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return int(changes[1]), seconds, spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="placet-bench-") as folder:
        file = Path(folder, "requests.jsonl")
        file.write_text("".join(f"{request(number)}\n" for number in range(REQUESTS)))
        runs = [attacked(file) for _ in range(rounds)]
    for changes, seconds, spent in runs:
        print(f"policy attack: {changes} changes in {seconds:.1f} s, {spent:.1f} s of the processor")
    changes, best = min(changes for changes, _, _ in runs), min(seconds for _, seconds, _ in runs)
    missed = changes < CHANGES or best * CHANGES / changes > SECONDS
    print(f"at best {best * CHANGES / changes:.1f} s for {CHANGES}, must {SECONDS} s{'  MISSED' if missed else ''}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
