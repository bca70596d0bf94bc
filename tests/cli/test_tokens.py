"""What reviewers see of an approval to unmask, and whether a file holds the tokens that it is for."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from google.protobuf import json_format
from pyarrow import parquet

from masker.arrow.sources import source
from pdp.arrow import chunks, token_tree
from pdp.cli import display, exit_code, tables
from pdp.cli.comparison import require_tokens
from pdp.cli.rereading import whole_shape
from pdp.cli.scope import Scope
from pdp.cli.tokens import brief
from pdp.client.unmasking import announced
from pdp.v1.approval_pb2 import Approval, Requirement
from pdp.v1.mask_pb2 import MaskScope
from pdp.view.unmasking import unmasking
from tests.cli.terminal import is_harmless

ROWS = pa.table({"id": [f"cus_{number:040}" for number in range(50_000)], "n": range(50_000)})
COLUMNS = {"id": "customer.record"}


def held(context: dict[str, Any], *allowed: int, action: str = "unmask", kind: str = "table") -> Approval:
    request = {"action": {"name": action}, "resource": {"type": kind, "id": "crm.customers"}, "context": context}
    made = json_format.ParseDict({"approvalId": "apr_1", "request": request}, Approval())
    made.requirements.extend(Requirement(rule="r", count=1, unmask_values=values) for values in allowed)
    return made


def approved(path: Path, version: int = 0, form: str = "") -> Approval:
    """An approval for the tokens in a file."""
    with source(str(path), form) as opened:
        shape = whole_shape(lambda: source(str(path), form))
        columns = COLUMNS if not opened.is_records else {"id": "customer.record", "n": ""}
        made = chunks.cut(opened.batches(), opened.schema)
        return held(token_tree.context(announced(MaskScope(masked_key_version=version), shape, columns, made)))


def test_reviewer_reads_what_is_unmasked_and_that_it_is_approved_by_hash() -> None:
    bound = {
        "columns": ["id", "name"],
        "column_domains": ["customer.record", "customer.name"],
        "domains": ["customer.name", "customer.record"],
        "count": 5_000_000,
        "chunks": 153,
        "tokens_tree": "ab" * 32,
    }
    shown = display.approval(held(bound, 6_000_000, 5_000_000))
    assert "unmasks       5,000,000 values of table crm.customers, in 153 chunks" in shown
    assert "  column      id, domain customer.record\n  column      name, domain customer.name" in shown
    assert "  domains     customer.name, customer.record" in shown
    assert "this one use may reverse 5,000,000 values" in shown
    assert "you approve exactly these tokens, which only their hash names" in shown
    assert "pdp approvals show apr_1 --tokens FILE" in shown
    assert "ab" * 32 in shown
    assert "unmask table:crm.customers (5,000,000 values)" in tables.approval_table([held(bound)])
    assert "quota" not in display.approval(held(bound))
    assert "quota" not in display.approval(held(bound, 0, 5_000_000))


def test_other_approvals_say_nothing_of_tokens() -> None:
    for other in (
        held({"count": 3}),
        held({"tokens_tree": "a"}, action="read"),
        held({"tokens_tree": "a"}, kind="file"),
    ):
        assert unmasking(other) is None
        assert "unmasks" not in display.approval(other)
        assert not brief(unmasking(other))


def test_what_somebody_invents_is_shown_without_harm() -> None:
    invented = {
        "columns": ["a\nb\u202e", 3, None],
        "domains": ["a\u202e"],
        "column_domains": "x",
        "count": "many\x1b[2J",
        "tokens_tree": None,
    }
    shown = display.approval(held(invented))
    assert all(is_harmless(line) for line in shown.splitlines())
    assert "an unknown number of values" in shown


def written(folder: Path, rows: pa.Table, name: str) -> Path:
    path = folder / name
    if name.endswith(".csv"):
        path.write_text("id,n\n" + "".join(f"{row['id']},{row['n']}\n" for row in rows.to_pylist()))
    elif name.endswith(".gz"):
        text = "".join(f'{{"id":"{row["id"]}","n":{row["n"]}}}\n' for row in rows.to_pylist())
        path.write_bytes(gzip.compress(text.encode()))
    else:
        parquet.write_table(rows, path)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl.gz"])
async def test_file_is_what_was_approved_or_not(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ROWS, name)
    approval, anyhow = approved(path), Scope(table="")
    await require_tokens(approval, str(path), anyhow)
    assert "exactly these tokens" in capsys.readouterr().err
    swapped = pa.concat_tables([ROWS.slice(1, 1), ROWS.slice(0, 1), ROWS.slice(2)])
    for other in (ROWS.slice(1), swapped):
        written(tmp_path, other, name)
        with pytest.raises(typer.Exit) as refused:
            await require_tokens(approval, str(path), anyhow)
        assert refused.value.exit_code == exit_code.APPROVAL_ENDED
        assert "for other tokens" in capsys.readouterr().err


async def test_key_version_is_part_of_what_was_approved(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS, "a.parquet")
    await require_tokens(approved(path, 2), str(path), Scope(table="", masked_key_version=2))
    with pytest.raises(typer.Exit):
        await require_tokens(approved(path, 2), str(path), Scope(table=""))


async def test_approval_of_one_call_is_compared_too(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS, "a.parquet")
    [batch] = ROWS.combine_chunks().to_batches()
    digest = token_tree.entry(batch, ["id"], is_records=False).tokens_sha256.hex()
    await require_tokens(
        held({"columns": ["id"], "count": 50_000, "tokens_sha256": digest}), str(path), Scope(table="")
    )
    with pytest.raises(typer.Exit):
        await require_tokens(held({"columns": ["n"], "tokens_sha256": digest}), str(path), Scope(table=""))
    with pytest.raises(typer.Exit):
        await require_tokens(held({}), str(path), Scope(table=""))
