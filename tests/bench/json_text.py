"""What attributes cost as text, beside the same in a Struct: from a request's bytes to its canonical form and digest.

    python -m tests.bench.json_text [--rounds N]

It prints microseconds of one request and the ratio of text to Struct, for requests of three sizes.
"""

import argparse
import json
import sys
import time
from typing import Any

from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.v1.decision_pb2 import AuthorizeRequest

MOST = 1.5
"""The ratio that text may have at most: it is meant to be no dearer than the Struct, and a machine is noisy."""
SECONDS = 0.3
SIZES: dict[str, dict[str, Any]] = {
    "two members": {"rows": 500, "purpose": "report"},
    "a tool call": {
        "tool": "export",
        "arguments": {"table": "customers", "columns": ["name", "email", "city"], "limit": 1000, "ratio": 0.25},
        "run": {"id": "r-1", "retry": False, "parent": None, "tags": ["nightly", "ci"]},
    },
    "300 members": {f"member{index}": {"n": index, "text": "x" * 20, "list": [1, 2.5, True]} for index in range(100)},
}


def bodies(members: dict[str, Any]) -> tuple[bytes, bytes]:
    """One request with these members as its context: in a Struct, and as text."""
    request: dict[str, Any] = {
        "subject": {"type": "agent", "id": "report-bot"},
        "action": {"name": "export"},
        "resource": {"type": "table", "id": "customers"},
    }
    forms = {**request, "context": members}, {**request, "contextJson": json.dumps(members)}
    struct, text = (json_format.ParseDict(form, AuthorizeRequest()).SerializeToString() for form in forms)
    return struct, text


def microseconds(body: bytes) -> float:
    """Of one request, read and brought into canonical form."""
    count, end, began = 0, time.perf_counter() + SECONDS, time.perf_counter()
    while time.perf_counter() < end:
        canonical(AuthorizeRequest.FromString(body), "dev")
        count += 1
    return (time.perf_counter() - began) / count * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    worst = 0.0
    for name, members in SIZES.items():
        struct, text = bodies(members)
        times = [(microseconds(struct), microseconds(text)) for _ in range(rounds)]
        best = min(first for first, _ in times), min(second for _, second in times)
        worst = max(worst, best[1] / best[0])
        print(f"{name}: Struct {best[0]:.1f} µs, text {best[1]:.1f} µs, ratio {best[1] / best[0]:.2f}")
    print(f"the worst ratio {worst:.2f}, must {MOST}{'  MISSED' if worst > MOST else ''}")
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
