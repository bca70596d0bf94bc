"""Files of JSON Lines and CSV masked with the FEBRL plan, beside duckdb that hashes the same columns of the same files.

    python -m tests.bench.mask_json [rows]

One thread each, rates of CPU time, medians of three. JSON Lines must be masked at 100,000 rows a second.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from pyarrow import csv

import masker
from masker import file
from masker.arrow.sources import source
from tests.bench import febrl
from tests.bench.bench_mask import DOMAINS, KEYS, RULES

ROWS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 500_000
LEAST = 100_000
SHARE = 0.5
"""Of duckdb's rate on JSON Lines: the aim."""


def rate(action: Callable[[], object], repeats: int = 3) -> float:
    """Rows a second; the first run compiles."""
    action()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return ROWS / statistics.median(times)


def ours(path: Path, target: Path) -> None:
    """Mask a file."""
    with source(str(path)) as opened:
        shape = opened.schema
        made = (
            masker.plan_records(RULES, DOMAINS, key_version=1)
            if opened.is_records
            else masker.plan(shape, [{"rule": "r", **rule} for rule in RULES], DOMAINS, key_version=1)
        )
        assert file.run(opened, str(target), made, KEYS) == ROWS


def theirs(path: Path, target: Path, form: str) -> None:
    """Hash as many columns as we mask, and write the file."""
    read = "read_json" if form == "json" else "read_csv"
    hashed = ", ".join(f"sha256(cast({rule['column']} as varchar)) as {rule['column']}" for rule in RULES)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.sql(f"copy (select {hashed} from {read}('{path}')) to '{target}' (format {form})")  # noqa: S608


def main() -> int:
    """Print the rates. The exit status is 1 if JSON Lines are masked too slowly."""
    with tempfile.TemporaryDirectory() as name:
        folder, table = Path(name), febrl.table(ROWS)
        lines, cells = folder / "plain.jsonl", folder / "plain.csv"
        with duckdb.connect() as connection:
            connection.register("febrl", table)
            connection.sql(f"copy febrl to '{lines}' (format json)")
        csv.write_csv(table, cells)
        found = {
            "JSON Lines": (
                rate(lambda: ours(lines, folder / "m.jsonl")),
                rate(lambda: theirs(lines, folder / "d", "json")),
            ),
            "CSV": (rate(lambda: ours(cells, folder / "m.csv")), rate(lambda: theirs(cells, folder / "d", "csv"))),
        }
    for form, (mine, reference) in found.items():
        print(f"{form:12} {mine:10,.0f} rows/s, duckdb with SHA-256 {reference:10,.0f}, ratio {mine / reference:.2f}")
    mine, reference = found["JSON Lines"]
    missed = "  MISSED" if mine < LEAST else ""
    print(f"JSON Lines must {LEAST:,} rows/s{missed}, aim {SHARE} of duckdb, {mine / found['CSV'][0]:.2f} of CSV")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
