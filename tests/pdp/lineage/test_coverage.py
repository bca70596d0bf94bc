"""How much is classified, what to classify first, and what people should look at."""

from pdp.lineage import fact
from pdp.lineage.coverage import First, Namespace, coverage, problems
from pdp.lineage.fact import Dataset, Edge, Event, Output
from tests.pdp.lineage.test_graph import whole

A, B, C = (Dataset("pg", name) for name in "abc")
FILE = Dataset("s3://lake", "f")


def edge(source: Dataset, target: Dataset) -> Event:
    outputs = [Output(target, ["k", "l"], ["k", "l"], [Edge("k", source, "k")])]
    return Event(by="workload:etl", at=1, event="00", job=("j", "1"), outputs=outputs)


def test_classified_columns_are_counted_by_namespace() -> None:
    done = fact.Classified(by="user:bob", at=1, dataset=C, columns={"k": ["pii"], "l": []})
    namespaces, _ = coverage(whole([edge(A, B), done, Event(by="w", at=1, event="00", inputs=[FILE])]))
    assert namespaces == [Namespace("pg", 3, 1, 5, 2), Namespace("s3://lake", 1, 0, 0, 0)]


def test_column_that_inherits_unclassified_is_not_classified() -> None:
    trusted = Event(
        by="workload:etl", at=1, event="00", job=("j", "1"),
        outputs=[Output(B, ["k"], ["k"], [Edge("k", A, "k")])], classifies=True,
    )  # fmt: skip
    namespaces, first = coverage(whole([trusted]))
    assert namespaces == [Namespace("pg", 2, 0, 2, 0)]
    assert [one.dataset for one in first] == [A], "to classify A classifies B, too"


def test_what_feeds_most_is_to_be_classified_first() -> None:
    _, first = coverage(whole([edge(A, B), edge(B, C), edge(C, A)]))
    assert {one.dataset: one.columns for one in first} == {A: 2, B: 2, C: 2}
    _, first = coverage(whole([edge(A, B), edge(B, C)]))
    assert first == [First(A, 1, 2), First(B, 2, 1), First(C, 2, 0)]


def test_problems_are_those_of_events_and_coarse_jobs() -> None:
    odd = Event(by="w", at=3, event="ab", job=("j", "2"), problems=[("inputs[0].facets", "is not known")])
    coarse = Event(by="workload:etl", at=9, event="cd", job=("j", "3"), inputs=[A], outputs=[Output(B), Output(B)])
    found = problems(whole([odd, odd, coarse]))
    assert [(one.kind, one.dataset, one.job, one.event, one.at) for one in found] == [
        ("coarse", B, ("j", "3"), "cd", 9),
        ("event", None, ("j", "2"), "ab", 3),
    ]
