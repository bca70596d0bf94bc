"""What is said of datasets, and the ways between them, as messages."""

from pdp.lineage.explain import Assertion, Step
from pdp.lineage.fact import Dataset, Source, Way
from pdp.lineage.ledger import Asserted
from pdp.service import dataset_message
from pdp.v1 import dataset_pb2

CRM, REPORT = Dataset("postgres://crm:5432", "crm.public.customers"), Dataset("s3://lake", "report")


def test_every_way_has_its_name() -> None:
    for way in Way:
        assert dataset_pb2.LineageWay.Name(dataset_message.way(way)) == f"LINEAGE_WAY_{way.upper()}"


def test_step_and_assertion_say_who_and_when() -> None:
    step = Step(CRM, "email", REPORT, "m", Way.MASKED, "DIRECT", ("etl", "weekly"), "r1", "agent:etl", 1500, True)
    found = dataset_message.step(step)
    assert (found.source.name, found.dataset.name, found.job_name, found.run) == (CRM.name, "report", "weekly", "r1")
    assert (found.at.ToMilliseconds(), found.coarse) == (1500, True)
    assert not dataset_message.step(Step(CRM, "", REPORT, "")).HasField("at")
    said = dataset_message.assertion(
        Assertion(CRM, "email", "pii", Source.EVENT, "agent:etl", Asserted(2000, 0.5, "seen"))
    )
    assert (said.source, said.confidence, said.reason) == (dataset_pb2.TAG_SOURCE_EVENT, 0.5, "seen")
