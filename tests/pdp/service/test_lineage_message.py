"""Values of lineage as messages."""

from pdp.lineage.coverage import First, Found, Namespace
from pdp.lineage.explain import Step
from pdp.lineage.fact import Dataset, Settled, Suggested, Tagging
from pdp.lineage.portrait import Portrait
from pdp.lineage.view import State
from pdp.service import lineage_message
from pdp.v1 import lineage_pb2
from pdp.workflow.reading_lineage import Around

CRM, REPORT = Dataset("postgres://crm:5432", "crm.public.customers"), Dataset("s3://lake", "report")


def test_every_state_has_its_name() -> None:
    for state in set(State) - {State.OFF}:
        assert lineage_pb2.LineageState.Name(lineage_message.state(state)) == f"LINEAGE_STATE_{state}"


def test_answer_is_cut_where_it_would_not_fit() -> None:
    def seen(name: str, size: int) -> Portrait:
        return Portrait(Dataset("n", name), ["pii"], {"c": ["pii"]}, ["x" * size], is_coarse=True)

    answer = lineage_pb2.GetLineageResponse()
    portraits = [(seen("a", 1), 0), (seen("b", lineage_message.MAX_BYTES), 1), (seen("c", 1), 2)]
    lineage_message.fill_around(answer, Around(State.KNOWN, portraits, [Step(CRM, "", REPORT, "")], False))
    assert [one.dataset.name for one in answer.datasets] == ["a"]
    assert (answer.truncated, list(answer.tags), len(answer.steps)) == (True, ["pii"], 1)


def test_suggestion_has_the_state_that_was_given_to_it() -> None:
    one = Suggested(
        by="user:bob", at=1, suggestion="sug_1", tagging=Tagging(CRM, "c", "pii", 0.5), hits=1, recognizer="r"
    )
    assert lineage_message.suggestion(one).state == lineage_pb2.SUGGESTION_STATE_PENDING
    settled = Settled(by="user:carol", at=2, suggestion="sug_1", accepted=True, reason="yes")
    found = lineage_message.suggestion(one, settled)
    assert (found.state, found.settled_by, found.reason) == (
        lineage_pb2.SUGGESTION_STATE_ACCEPTED,
        "user:carol",
        "yes",
    )


def test_problems_and_coverage_are_carried_over() -> None:
    problem = lineage_message.problem(Found("coarse", REPORT, "", "no columns", ("etl", "weekly"), "agent:etl", "e", 5))
    assert (problem.kind, problem.dataset.name, problem.job_name) == ("COARSE", "report", "weekly")
    answer = lineage_pb2.GetCoverageResponse()
    lineage_message.fill_coverage(answer, ([Namespace("n", 2, 1, 4, 3)], [First(REPORT, 1, -1)]))
    assert (answer.namespaces[0].classified_columns, answer.first[0].downstream) == (3, 0)
