"""The story that `pdp demo` tells, in commands that a user would type. It runs inside `pdp dev -- …`.

The story contains attacks: a drop, a self-approval, a changed argument, a second use and a flipped byte. Each step must
end with the expected exit status. The exported tables are masked, and they still join.
"""

import csv
import importlib.util
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from pdp.cli import exit_code
from pdp.say import tell

_ASK = ["authorize", "--as", "report-bot", "--subject", "agent:report-bot", "--on-behalf-of", "user:alice"]
_READ = [*_ASK, "--action", "read", "--resource", "table:customers"]
_DROP = [*_ASK, "--action", "drop", "--resource", "table:customers"]
_EXPORT = [
    *_ASK,
    "--action",
    "export",
    "--resource",
    "table:crm.customers",
    "--property",
    'tags=["pii"]',
    "--understands",
    "mask",
]
_MASK = ["mask", "run", "--as", "report-bot", "--subject", "agent:report-bot", "--on-behalf-of", "user:alice"]
_PARTNER = "s3://partner/newsletter"
_CONTACTS = "postgres://crm:5432/crm.public.contacts"
_DATA = Path(__file__).parents[1] / "dev" / "demo"


def main() -> int:
    """Tell the story. Returns 0 if every step ended as expected."""
    with tempfile.TemporaryDirectory(prefix="placet-story-") as folder:
        return _tell(Path(folder))


def _tell(folder: Path) -> int:
    tell("An agent, report-bot, works on behalf of alice.")
    _step("It reads a table. The policy allows that.", _READ, exit_code.OK)
    _step("It tries to drop the table. The policy denies that, and says why.", _DROP, exit_code.DENY)
    asked = [*_EXPORT, "--context", "rows=1000", "--justification", "weekly report", "--request-id", "call-1"]
    _step(
        "It wants to export customers, who are personal data: two data stewards must approve.",
        asked,
        exit_code.NEEDS_APPROVAL,
    )
    approval = _newest_approval()
    _step(
        "alice tries to approve it herself. She is one of the requester's principals.",
        ["approvals", "approve", approval, "--as", "alice"],
        exit_code.NOT_ALLOWED,
    )
    for steward in ("bob", "carol"):
        _step(
            f"{steward}, a data steward, sees exactly what will run, and approves.",
            ["approvals", "approve", approval, "--as", steward, "--reason", "needed for the report"],
            exit_code.OK,
        )
    changed = [*_EXPORT, "--context", "rows=1000000", "--approval-id", approval]
    _step(
        "The agent changes one argument: a million rows. The approval does not fit.", changed, exit_code.APPROVAL_ENDED
    )
    used = [*_EXPORT, "--context", "rows=1000", "--approval-id", approval, "--request-id", "call-2"]
    _step(
        "It asks again as approved: allowed, with a grant that proves it, and with a duty: customers leave masked.",
        used,
        exit_code.OK,
    )
    again = [*used[:-1], "call-3"]
    _step("A second use, as another call: refused. An approval fits one action, once.", again, exit_code.APPROVAL_ENDED)
    _mask(folder)
    _derive(folder)
    _prove(folder)
    tell("\nThat was real OPA, real MongoDB and a real log. Now try it yourself:\n\n  make dev")
    return 0


def _mask(folder: Path) -> None:
    """Export two tables. They are masked apart from each other, but they still join."""
    if importlib.util.find_spec("masker") is None or importlib.util.find_spec("pyarrow") is None:
        tell("\n# The export would be masked now; for that, install the extra `mask`.")
        return
    tables = {"customers": "crm.customers", "signups": "web.signups"}
    for name, table in tables.items():
        plain, masked = _DATA / f"{name}.csv", folder / f"masked-{name}.csv"
        _step(
            f"{table} leaves through the mask: the policy says how each column is masked, the keys stay in the server.",
            [*_MASK, "--table", table, str(plain), "--to", str(masked)],
            exit_code.OK,
            prints_data=False,
        )
    tell(f"\n$ head -2 {folder / 'masked-customers.csv'}")
    tell("\n".join((folder / "masked-customers.csv").read_text().splitlines()[:2]))
    plain_pairs = _pairs(*(_DATA / f"{name}.csv" for name in tables))
    masked_pairs = _pairs(*(folder / f"masked-{name}.csv" for name in tables))
    tell(f"\n# Plain, the two join by social security number in {len(plain_pairs)} pairs of rows.")
    if masked_pairs != plain_pairs or not plain_pairs:
        sys.exit(f"Masked, they should join in the same pairs, but these were {len(masked_pairs)}.")
    tell("# Masked, in the very same pairs.")


def _derive(folder: Path) -> None:
    """A table is tagged once, and what a job derives from it needs the same people and the same mask."""
    _step(
        "bob tags a column of the CRM, once.",
        ["lineage", "tags", "add", _CONTACTS, "--column", "email", "pii", "contact", "--as", "bob"],
        exit_code.OK,
    )
    _step(
        "A job's events say that another table comes from it: Spark, Airflow or dbt would send them.",
        ["lineage", "load", str(_DATA / "newsletter.jsonl"), "--as", "etl"],
        exit_code.OK,
        prints_data=False,
    )
    said = [*_ASK, "--action", "export", "--resource", "table:reports.newsletter", "--property", 'tags=["public"]']
    asked = [*said, "--understands", "mask", "--request-id", "call-4"]
    _step(
        "The agent exports that table, and says that it is public. Two data stewards must approve all the same.",
        asked,
        exit_code.NEEDS_APPROVAL,
    )
    _step(
        "Why is that? It says where the tag comes from.",
        ["lineage", "why", "reports.newsletter", "--column", "recipient", "--tag", "pii", "--as", "bob"],
        exit_code.OK,
    )
    approval = _newest_approval()
    for steward in ("bob", "carol"):
        _step(
            f"{steward} approves.",
            ["approvals", "approve", approval, "--as", steward, "--reason", "the monthly letter"],
            exit_code.OK,
        )
    _step("Now it may, once.", [*asked, "--approval-id", approval], exit_code.OK)
    if importlib.util.find_spec("masker") is None or importlib.util.find_spec("pyarrow") is None:
        return
    masked = folder / "masked-newsletter.csv"
    where = ["--context", f"destination={_PARTNER}", str(_DATA / "newsletter.csv"), "--to", str(masked)]
    _step(
        "It leaves masked: nobody wrote a mask for this table, it follows the tag.",
        [*_MASK, "--table", "reports.newsletter", *where],
        exit_code.OK,
        prints_data=False,
    )
    tell(f"\n$ cat {masked}\n{masked.read_text().rstrip()}")
    _step(
        "What left is lineage, too: where it went, the tag is there as a masked one, and its source is still known.",
        ["lineage", "why", _PARTNER, "--column", "recipient", "--tag", "contact:masked", "--as", "bob"],
        exit_code.OK,
    )


def _pairs(left: Path, right: Path) -> set[tuple[int, int]]:
    """The pairs of row numbers with equal social security numbers."""
    numbers = [[row["soc_sec_id"] for row in csv.DictReader(file.read_text().splitlines())] for file in (left, right)]
    return {(one, other) for one, a in enumerate(numbers[0]) for other, b in enumerate(numbers[1]) if a and a == b}


def _prove(folder: Path) -> None:
    log = folder / "log.jsonl"
    _step("The log can be taken away and checked.", ["audit", "export", str(log), "--as", "dana"], exit_code.OK)
    copy = folder / "copy.jsonl"
    copy.write_text(_with_a_flipped_byte(log.read_text()))
    tell("\n# Somebody changes one byte of a record in a copy.")
    _step("The check names the record.", ["audit", "verify", str(copy)], exit_code.VERIFICATION_FAILED)
    _step("The real log is intact.", ["audit", "verify", "--as", "dana"], exit_code.OK)


def _with_a_flipped_byte(log: str) -> str:
    """The log with the first DENY changed to DENX: one byte differs."""
    return log.replace("DENY", "DENX", 1)


def _step(what: str, arguments: list[str], expected: int, *, prints_data: bool = True) -> None:
    """Say what happens, show the command and its answer. End the story if the exit status is not `expected`."""
    tell(f"\n# {what}\n$ {shlex.join(['pdp', *arguments])}")
    done = _pdp([*arguments, "-o", "table"] if prints_data else arguments, stderr=subprocess.STDOUT)
    tell(done.stdout.rstrip())
    if done.returncode != expected:
        sys.exit(f"\nThis should have ended with exit status {expected}, but it was {done.returncode}.")


def _newest_approval() -> str:
    done = _pdp(["approvals", "list", "--as", "report-bot", "-o", "jsonl"], stderr=None)
    return str(json.loads(done.stdout.splitlines()[0])["approvalId"])


def _pdp(arguments: list[str], stderr: int | None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pdp", *arguments]
    return subprocess.run(  # noqa: S603  # ours
        command,
        stdin=subprocess.DEVNULL,  # no command of the story asks: its output, and so the question, is not shown at once
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
