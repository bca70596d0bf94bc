"""What is declared under one name of data counts for its other names, as far as the person saw them."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Event, Output, Tagging
from pdp.lineage.graph import Graph
from tests.pdp.lineage.test_graph import seen, whole

HIVE, PATH, THIRD = Dataset("hive://h:10000", "db.t"), Dataset("s3://b", "t"), Dataset("s3://b", "other")
BY: Any = {"by": "user:bob", "at": 1}


def event(*outputs: Output, aliases: Sequence[tuple[Dataset, Dataset]] = ()) -> Event:
    return Event(by="workload:etl", at=1, event="00", outputs=outputs, aliases=aliases)


COLUMNS = event(Output(HIVE, ["k"], ["k"]), Output(PATH, ["k"], ["k"]))
ALIAS = event(aliases=[(PATH, HIVE)])
DECLARED = fact.Classified(dataset=PATH, columns={"k": []}, names=[HIVE], **BY)


def tags(facts: Sequence[fact.Fact], dataset: Dataset, column: str = "k") -> set[str]:
    return seen(whole(facts))[dataset, column]


def test_classifying_one_name_counts_for_the_others_that_were_seen_in_any_order() -> None:
    for facts in permutations([COLUMNS, ALIAS, DECLARED]):
        assert tags(facts, HIVE) == tags(facts, PATH) == tags(facts, PATH, "**") == set()
    tagged = fact.Tagged(tagging=Tagging(PATH, "k", "pii"), names=[HIVE], **BY)
    assert tags([COLUMNS, ALIAS, tagged], HIVE) == {"pii"}


def test_names_that_are_joined_later_are_unclassified_until_they_are_declared_themselves() -> None:
    more = event(Output(THIRD, ["k"], ["k"]), aliases=[(PATH, THIRD)])
    assert tags([COLUMNS, ALIAS, DECLARED, more], PATH) == {"unclassified"}
    assert tags([COLUMNS, ALIAS, DECLARED, more], HIVE) == {"unclassified"}
    itself = fact.Classified(dataset=THIRD, columns={"k": []}, **BY)
    assert tags([COLUMNS, ALIAS, DECLARED, more, itself], PATH) == set()


def test_parted_names_are_declared_as_far_as_they_were_themselves() -> None:
    parted = fact.Unlinked(one=HIVE, other=PATH, **BY)
    assert tags([COLUMNS, ALIAS, DECLARED, parted], PATH) == set()
    assert tags([COLUMNS, ALIAS, DECLARED, parted], HIVE) == {"unclassified"}
    assert tags([COLUMNS, ALIAS, DECLARED, parted, ALIAS], HIVE) == set()


def test_column_that_appears_later_under_another_name_is_the_same_column_and_a_new_one_is_not() -> None:
    late = event(Output(HIVE, ["k", "new"], ["k", "new"]))
    facts = [event(Output(PATH, ["k"], ["k"])), ALIAS, DECLARED, late]
    assert tags(facts, HIVE) == set()
    assert tags(facts, HIVE, "new") == {"unclassified"}


@pytest.mark.parametrize("names", [[HIVE], []])
def test_name_without_columns_of_its_own_is_what_the_declared_one_is(names: list[Dataset]) -> None:
    bare = Event(by="workload:etl", at=1, event="00", inputs=[HIVE], aliases=[(PATH, HIVE)])
    declared = fact.Classified(dataset=PATH, columns={"k": []}, names=names, **BY)
    for facts in permutations([event(Output(PATH, ["k"], ["k"])), bare, declared]):
        assert tags(facts, HIVE, "**") == (set() if names else {"unclassified"})


def test_what_counts_for_other_names_is_in_snapshots() -> None:
    kept = Graph.load(whole([COLUMNS, DECLARED]).dump())
    kept.apply([(2, [ALIAS])])
    assert seen(kept)[HIVE, "k"] == set()
