"""Files in and out of the commands that mask, and what they tell of a plan."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from pyarrow import parquet

import masker
from pdp.arrow import table
from pdp.cli import exit_code
from pdp.cli.mask_files import plan_table, progress, refusals, refuse, shape_of, summary, targets
from pdp.cli.scope import Scope
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import MaskedColumn, MaskPlan
from pdp.v1.request_pb2 import Effect, Reason


def ended(action: Any) -> int:
    """The status with which it ends."""
    with pytest.raises(typer.Exit) as end:
        action()
    return int(end.value.exit_code)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a folder `out`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("files", "output", "pairs"),
    [
        (["a.csv"], "b.csv", [("a.csv", "b.csv")]),
        (["a.csv"], "-", [("a.csv", "-")]),
        (["-"], "", [("-", "-")]),
        (["-"], "b.csv", [("-", "b.csv")]),
        (["a.csv"], "out", [("a.csv", "out/a.csv")]),
        (["a.csv"], "out/", [("a.csv", "out/a.csv")]),
        (["x/a.csv", "b.csv"], "out", [("x/a.csv", "out/a.csv"), ("b.csv", "out/b.csv")]),
    ],
)
@pytest.mark.usefixtures("here")
def test_each_file_has_its_output(files: list[str], output: str, pairs: list[tuple[str, str]]) -> None:
    assert list(targets(files, output)) == pairs


@pytest.mark.parametrize(
    ("files", "output"),
    [
        (["a.csv"], ""),
        (["a.csv", "b.csv"], ""),
        (["a.csv", "b.csv"], "-"),
        (["a.csv", "b.csv"], "c.csv"),
        (["a.csv"], "nowhere/"),
        (["x/a.csv", "y/a.csv"], "out"),
        (["a.csv"], "a.csv"),
        (["a.csv"], "./a.csv"),
        (["out/a.csv"], "out"),
    ],
)
@pytest.mark.usefixtures("here")
def test_output_that_would_be_lost_or_lose_another_is_refused(files: list[str], output: str) -> None:
    assert ended(lambda: list(targets(files, output))) == exit_code.USAGE


def test_shape_is_that_of_the_file(here: Path) -> None:
    made = pa.table({"id": ["a"], "count": [1]})
    parquet.write_table(made, here / "a.parquet")
    (here / "a.jsonl").write_text('{"id":"a","tags":["x"]}\n{"who":{"name":"b"}}\n')
    shape, source = shape_of("a.parquet", Scope("t"))
    with source:
        assert table.schema(shape.arrow_schema, "x").names == ["id", "count"]
    shape, source = shape_of("a.jsonl", Scope("t"))
    with source:
        assert set(shape.record_paths.paths) == {"id", "tags[]", "who.name"}
        assert sum(batch.num_rows for batch in source.batches()) == 2


PLAN = MaskPlan(
    table="crm.customers",
    subject="agent:bot",
    policy_revision="0123456789abcdef",
    columns=[
        MaskedColumn(column="id", mask="token", domain="customer", key_version=3, rule="r.id"),
        MaskedColumn(column="no\x1bte", mask="redact", rule="r.note"),
    ],
)


def test_plan_is_a_line_a_column_and_nothing_in_it_deceives() -> None:
    assert plan_table(PLAN).split("\n") == [
        "id          token in customer  key 3  r.id",
        "no\\u{1b}te  redact                    r.note",
        "table crm.customers for agent:bot, policy 0123456789ab",
    ]
    assert plan_table(MaskPlan(table="t", subject="s")) == "table t for s, policy "


def test_summary_is_for_people_beside_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    summary(PLAN, 1234, "rec_1", "-")
    out, err = capsys.readouterr()
    assert out == ""
    assert "1,234 rows to standard output" in err
    assert "rec_1" in err


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (AuthorizeResponse(effect=Effect.EFFECT_DENY, reasons=[Reason(rule="r.no", reason="not you")]), exit_code.DENY),
        (
            AuthorizeResponse(effect=Effect.EFFECT_DENY, reasons=[Reason(rule="pdp.approval_denied", reason="no")]),
            exit_code.APPROVAL_ENDED,
        ),
        (
            AuthorizeResponse(effect=Effect.EFFECT_NEEDS_APPROVAL, approval=Approval(approval_id=f"apr_{1:032x}")),
            exit_code.NEEDS_APPROVAL,
        ),
    ],
)
def test_decision_that_is_no_allow_is_shown_and_ends_with_its_status(
    decision: AuthorizeResponse, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(lambda: refuse(decision)) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert all(reason.rule in err for reason in decision.reasons)
    assert decision.approval.approval_id in err


def refusing(error: Exception) -> None:
    with refusals():
        raise error


def test_refusals_of_the_masker_end_with_their_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(lambda: refusing(masker.PlanRefused("does not fit", column="id", rule="r"))) == exit_code.POLICY_ERROR
    assert ended(lambda: refusing(masker.MaskError("bad key"))) == exit_code.FAILURE
    assert "bad key" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        refusing(ZeroDivisionError())


def test_progress_says_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("a.csv", 10) as advance:
        advance(5)
    assert capsys.readouterr() == ("", "")
