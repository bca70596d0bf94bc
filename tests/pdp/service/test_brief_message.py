"""What a reviewer is told beside an approval, as messages."""

from pdp.errors import MaskPlanRefused
from pdp.lineage.explain import Assertion, Reason, Step
from pdp.lineage.fact import Dataset, Source, Way
from pdp.lineage.ledger import Asserted
from pdp.masking.question import Foreseen
from pdp.service.brief_message import MAX_PROBLEM, forecast, origin
from pdp.v1 import dataset_pb2
from pdp.workflow.briefing import Masks, Outlook

CRM, DWH = Dataset("postgres://crm", "crm.t"), Dataset("postgres://dwh", "dwh.t")


def test_origin_names_who_said_it_and_each_job_and_run() -> None:
    said = Assertion(CRM, "mail", "pii", Source.PERSON, "user:bob", Asserted(1_000, None, "addresses"))
    event = Assertion(CRM, "mail", "pii", Source.EVENT, "agent:etl", Asserted(2_000, 0.5))
    step = Step(CRM, "mail", DWH, "to", Way.MASKED, "DIRECT/MASKING", ("etl", "letter"), "r1", "agent:etl", 3_000)
    told = origin("to", "pii:masked", Reason(CRM, "mail", [said, event], [step, Step(CRM, "", DWH, "")]))
    assert (told.column, told.tag) == ("to", "pii:masked")
    assert [(one.source, one.by, one.at.seconds, one.reason) for one in told.said] == [
        (dataset_pb2.TAG_SOURCE_PERSON, "user:bob", 1, "addresses"),
        (dataset_pb2.TAG_SOURCE_EVENT, "agent:etl", 2, ""),
    ]
    assert [one.HasField("confidence") for one in told.said] == [False, True]
    by_job, alias = told.steps
    assert (by_job.way, by_job.how) == (dataset_pb2.LINEAGE_WAY_MASKED, "DIRECT/MASKING")
    assert (by_job.job_name, by_job.run) == ("letter", "r1")
    assert (by_job.source.name, by_job.source_column, by_job.dataset.name, by_job.column) == (
        "crm.t",
        "mail",
        "dwh.t",
        "to",
    )
    assert not alias.HasField("at")


def test_forecast_has_a_mask_or_a_problem_for_each_column() -> None:
    masks = [
        ("a", {"column": "a", "rule": "r.a", "domain": "d"}),
        ("b", {"column": "b", "rule": "r.b", "mask": "clear"}),
        ("c", MaskPlanRefused("x" * 999)),
        ("d", {"column": "d", "rule": "r.d", "domain": "nobody.declared"}),
        ("e", {}),
    ]
    found = forecast(Masks(Outlook.FORESEEN, ["r.export"], masks, Foreseen({}, {"d": {"mask": "token"}}, "rev")))
    assert (found.state, list(found.required_by), found.policy_revision) == ("FORESEEN", ["r.export"], "rev")
    assert [(one.name, one.mask, one.domain, one.rule, one.problem) for one in found.columns] == [
        ("a", "token", "d", "r.a", ""),
        ("b", "clear", "", "r.b", ""),
        ("c", "", "", "", "x" * MAX_PROBLEM),
        ("d", "", "nobody.declared", "", "no domain nobody.declared is declared"),
        ("e", "", "", "", ""),
    ]
