"""Lineage as people see it."""

from pdp.cli import lineage_display
from pdp.v1.dataset_pb2 import DatasetName, LineageStep, LineageWay, TagAssertion, TagSource
from pdp.v1.lineage_pb2 import (
    ClassifyFirst,
    ExplainTagResponse,
    GetCoverageResponse,
    GetLineageResponse,
    GetPathResponse,
    LineageColumn,
    LineageDataset,
    LineageProblem,
    LineageRevision,
    LineageState,
    NamespaceCoverage,
)

CRM = DatasetName(namespace="postgres://crm:5432", name="crm.public.customers")
REPORT = DatasetName(namespace="s3://lake", name="report")
STEP = LineageStep(
    source=CRM, source_column="email", dataset=REPORT, column="mail", way=LineageWay.LINEAGE_WAY_MASKED,
    how="DIRECT/TRANSFORMATION", job_namespace="etl", job_name="nightly", run="r1", by="workload:etl",
)  # fmt: skip
SAID = TagAssertion(
    dataset=CRM, column="email", tag="pii", source=TagSource.TAG_SOURCE_PERSON, by="user:bob", reason="addresses"
)
AT = LineageRevision(n=7, head="00")


def test_data_is_shown_with_its_columns_and_what_is_around_it() -> None:
    answer = GetLineageResponse(
        revision=AT,
        state=LineageState.LINEAGE_STATE_KNOWN,
        datasets=[
            LineageDataset(
                dataset=REPORT, tags=["pii"], columns=[LineageColumn(name="mail", tags=["pii"])],
                column_names=["id", "mail"], coarse=True,
            ),
            LineageDataset(dataset=CRM, tags=["contact", "pii"], distance=-1),
        ],
        truncated=True,
    )  # fmt: skip
    assert lineage_display.lineage(answer).splitlines() == [
        "s3://lake/report  pii",
        "  id",
        "  mail  pii",
        "",
        "comes from",
        "  postgres://crm:5432/crm.public.customers  contact pii",
        "some of it came without columns, so every column got every tag",
        "there is more than is shown",
        "as of revision 7",
    ]


def test_data_that_is_not_known_is_said_to_be_unclassified() -> None:
    for state, says in (
        (LineageState.LINEAGE_STATE_UNKNOWN, "unclassified"),
        (LineageState.LINEAGE_STATE_AMBIGUOUS, "unclassified"),
        (LineageState.LINEAGE_STATE_NONE, "not data"),
    ):
        assert says in lineage_display.lineage(GetLineageResponse(state=state))


def test_why_names_who_said_it_where_and_each_step() -> None:
    shown = lineage_display.explanation(
        ExplainTagResponse(revision=AT, carried=True, steps=[STEP], assertions=[SAID]), "pii:masked"
    )
    assert shown.splitlines() == [
        "pii of postgres://crm:5432/crm.public.customers column email: PERSON user:bob, 1970-01-01T00:00:00Z",
        "  addresses",
        (
            "  postgres://crm:5432/crm.public.customers email -> s3://lake/report mail  (DIRECT/TRANSFORMATION; "
            "masked; job etl/nightly; run r1; by workload:etl, 1970-01-01T00:00:00Z)"
        ),
        "as of revision 7",
    ]
    assert "was not classified" in lineage_display.explanation(ExplainTagResponse(carried=True), "unclassified")
    assert lineage_display.explanation(ExplainTagResponse(), "pii\x1b") == "it does not carry pii\\u{1b}"


def test_way_has_its_steps_or_is_none() -> None:
    assert len(lineage_display.path(GetPathResponse(steps=[STEP, STEP])).splitlines()) == 3
    assert lineage_display.path(GetPathResponse()) == "nothing flows from the one to the other"
    assert lineage_display.step(LineageStep(source=CRM, dataset=REPORT)).endswith("customers -> s3://lake/report")


def test_lists_have_a_line_for_each() -> None:
    none = TagAssertion(dataset=REPORT, source=TagSource.TAG_SOURCE_EVENT, by="workload:etl")
    lines = lineage_display.assertion_table([SAID, none]).splitlines()
    assert lines[1].split()[1:5] == ["email", "pii", "PERSON", "user:bob"]
    assert lines[2].split()[1:5] == ["*", "-", "EVENT", "workload:etl"]
    problem = LineageProblem(kind="COARSE", dataset=REPORT, message="no columns", job_name="nightly")
    assert lineage_display.problem_table([problem]).splitlines()[1].split()[1:] == [
        "COARSE", "s3://lake/report", "no", "columns", "nightly",
    ]  # fmt: skip


def test_coverage_says_how_much_and_what_first() -> None:
    answer = GetCoverageResponse(
        revision=AT,
        namespaces=[
            NamespaceCoverage(
                namespace="s3://lake", datasets=4, classified_datasets=1, columns=8, classified_columns=2
            ),
            NamespaceCoverage(namespace="x"),
        ],
        first=[ClassifyFirst(dataset=REPORT, columns=6, downstream=90)],
    )
    lines = lineage_display.coverage(answer).splitlines()
    assert lines[1].split() == ["s3://lake", "1/4", "2/8", "25%"]
    assert lines[2].split() == ["x", "0/0", "0/0", "-"]
    assert lines[5].split() == ["s3://lake/report", "6", "90"]
