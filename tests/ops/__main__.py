"""`make ops`: checks what lies in `ops/` with the tools of those who run it, which are built at the first time.

`python -m tests.ops [NAME ...]` checks some of it; `--renew` writes what the chart makes anew. Each check ends with a
sentence where something is wrong. It needs Go, systemd, and the package registries where a tool is not here yet.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.ops import backup, chart, dashboard, image
from tests.ops.tools import hadolint, on_path, run, say, tool

UNIT = Path("ops/systemd/placet.service")
MOST_EXPOSED = 2.0
"""The exposure of the unit, as systemd counts it, has to be lower."""


def containerfile() -> None:
    """What is unusual in the Containerfile."""
    run(hadolint(), "ops/Containerfile")


def unit() -> None:
    """Whether systemd takes the unit, and how much of the machine is open to it."""
    analyze = on_path("systemd-analyze", "systemd")
    said = run(analyze, "security", "--offline=true", UNIT)
    exposure = float(re.findall(r"exposure level for \S+: ([\d.]+)", said)[0])
    if exposure >= MOST_EXPOSED:
        sys.exit(f"{said}\nthe exposure of {UNIT} has to be below {MOST_EXPOSED}")
    with tempfile.TemporaryDirectory() as folder:  # systemd wants the program to exist
        copy = Path(folder, UNIT.name)
        copy.write_text(UNIT.read_text().replace("/opt/placet/bin/pdp", str(Path(sys.executable).with_name("pdp"))))
        if warned := run(analyze, "verify", copy):
            sys.exit(warned)
    say(f"unit: exposure {exposure}")


def alerts() -> None:
    """Whether Prometheus takes the rules of alerts, and whether they fire in their cases."""
    run(tool("promtool"), "check", "rules", "ops/alerts.yaml")
    run(tool("promtool"), "check", "config", "--syntax-only", "ops/compose/prometheus.yaml")
    for cases in sorted(Path("tests/cases/alerts").glob("*.yaml")):
        run(tool("promtool"), "test", "rules", cases)


CHECKS: Mapping[str, Callable[[], None]] = {
    "containerfile": containerfile,
    "unit": unit,
    "chart": chart.tried,
    "alerts": alerts,
    "dashboard": dashboard.tried,
    "backup": backup.tried,
    "image": image.tried,
}


def main() -> None:
    """Run the checks that are named, or all."""
    if "--renew" in sys.argv:
        chart.tried(renew=True)
        return
    for name in sys.argv[1:] or CHECKS:
        began = time.monotonic()
        CHECKS[name]()
        say(f"{name}: ok, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
