"""Runs `opa test` on a policy and measures how much the tests cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.sources import CORE, Source, labels, read, shown, staged, without_rules
from pdp.policy.stock import run

NEVER_TRUE = "pdp/sets.rego"
"""The core's file with one rule for each set whose body is `false`, so that the set exists. No test can reach it."""


@dataclass(frozen=True)
class Coverage:
    """How much of one file the tests reach, in percent, and the first line of each range that they do not reach."""

    percent: float
    missed: Sequence[int]


@dataclass(frozen=True)
class Outcome:
    """Whether each test passed, OPA's own words if one failed, and the coverage of each file."""

    tests: Mapping[str, bool]
    report: str
    coverage: Mapping[str, Coverage]

    @property
    def passed(self) -> bool:
        """Whether there are tests and all of them passed."""
        return bool(self.tests) and all(self.tests.values())

    def covers(self, percent: float) -> bool:
        """Whether every file is covered to at least `percent`."""
        return all(file.percent >= percent for file in self.coverage.values())


def outcome(opa: Path, folders: Sequence[Path], *, core: bool = False) -> Outcome:
    """Run the tests in `folders`, with the core and their data. `core` also runs and counts the core's own tests.

    Raises `SetupError`, in OPA's own words, if the policy does not compile.
    """
    sources = [source for source in read(folders) if core or not (source.label == CORE and source.is_test)]
    if sentence := without_rules(sources):
        raise SetupError(sentence)
    loaded = [source for source in sources if source.is_rego or source.is_data]
    with staged(loaded) as folder:
        listed = run(opa, "test", "--format", "json", *labels(loaded), folder=folder)
        covered = run(opa, "test", "--coverage", "--format", "json", *labels(loaded), folder=folder)
    tests = _tests(listed.stdout, listed.stderr)
    if not all(tests.values()):
        return Outcome(tests, covered.stdout.decode(errors="replace"), {})
    counted = [source for source in loaded if (core or source.label != CORE) and source.name != NEVER_TRUE]
    return Outcome(tests, "", _coverage(counted, orjson.loads(covered.stdout)))


def _tests(output: bytes, errors: bytes) -> dict[str, bool]:
    try:
        results = orjson.loads(output)
    except ValueError as error:
        raise SetupError(f"`opa test` failed: {(errors or output).decode(errors='replace').strip()}") from error
    return {_name(result): not (result.get("fail") or result.get("error")) for result in results}


def _name(result: Mapping[str, Any]) -> str:
    return f"{result['package'].removeprefix('data.')}.{result['name']}"


def _coverage(counted: Sequence[Source], report: Mapping[str, Any]) -> dict[str, Coverage]:
    files = report["files"]
    return {
        shown(counted, source.name): _file(files[source.name])
        for source in counted
        if source.name in files and not source.is_test
    }


def _file(report: Mapping[str, Any]) -> Coverage:
    missed = [span["start"]["row"] for span in report.get("not_covered", [])]
    return Coverage(report.get("coverage", 0), missed)
