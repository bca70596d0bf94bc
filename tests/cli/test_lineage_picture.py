"""What `pdp lineage show` draws."""

from pathlib import Path

import pytest
import typer

from pdp.cli.lineage_picture import MAX_COLUMNS, draw, pictured
from pdp.v1.dataset_pb2 import DatasetName, LineageStep
from pdp.v1.lineage_pb2 import GetLineageResponse, LineageColumn, LineageDataset

CRM = DatasetName(namespace="postgres://crm:5432", name="customers")
REPORT = DatasetName(namespace="s3://lake", name="report")
ANSWER = GetLineageResponse(
    datasets=[
        LineageDataset(dataset=REPORT, columns=[LineageColumn(name="mail", tags=["pii"])]),
        LineageDataset(dataset=CRM, tags=["internal"], distance=-1),
    ],
    steps=[LineageStep(source=CRM, dataset=REPORT, job_name="weekly"), LineageStep(source=CRM, dataset=CRM)],
)


def test_datasets_are_boxes_and_jobs_are_arrows() -> None:
    drawn = pictured(ANSWER)
    assert {key: (list(box.notes), box.is_marked) for key, box in drawn.boxes.items()} == {
        "s3://lake/report": (["mail: pii"], True),
        "postgres://crm:5432/customers": (["internal"], False),
    }
    assert [(one.tail, one.head, one.note) for one in drawn.arrows] == [
        ("postgres://crm:5432/customers", "s3://lake/report", "weekly")
    ]


def test_it_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(ANSWER, dot=True, mermaid=True, svg=tmp_path / "a.svg")
    out = capsys.readouterr().out
    assert out.startswith("digraph")
    assert "flowchart" in out
    assert (tmp_path / "a.svg").read_text().startswith("<svg")
    with pytest.raises(typer.Exit):
        draw(ANSWER, dot=False, mermaid=False, svg=tmp_path / "no" / "a.svg")


def test_picture_of_many_columns_shows_the_most_sensitive_and_counts_the_rest() -> None:
    columns = [LineageColumn(name=f"c{number:05}", tags=["pii:masked"]) for number in range(10_000)]
    wide = LineageDataset(dataset=REPORT, columns=[*columns, LineageColumn(name="mail", tags=["pii"])])
    (box,) = pictured(GetLineageResponse(datasets=[wide])).boxes.values()
    assert (len(box.notes), box.notes[0], box.notes[-1]) == (MAX_COLUMNS + 1, "mail: pii", "9,981 more columns")
