"""Where tags come from: told together where the way is the same, whoever tells it."""

from pdp.v1.approval_pb2 import ApprovalColumn, ApprovalLineage, TagOrigin
from pdp.v1.dataset_pb2 import DatasetName, LineageStep, TagAssertion
from pdp.view.origins import origins

CRM, LAKE = DatasetName(namespace="pg://crm", name="t"), DatasetName(namespace="s3://lake", name="w")


def came(column: str, job: str, *, tag: str = "pii") -> TagOrigin:
    way = LineageStep(source=CRM, source_column="mail", dataset=LAKE, column=column, job_name=job)
    return TagOrigin(column=column, tag=tag, said=[TagAssertion(dataset=CRM, tag=tag)], steps=[way])


def test_columns_of_one_way_are_told_together() -> None:
    found = origins([came("a", "j"), came("b", "j"), came("c", "k"), came("d", "j", tag="phi")], ApprovalLineage())
    assert [[column.text for column in one.columns] for one in found.told] == [["a", "b"], ["c"], ["d"]]
    together, alone, _ = found.told
    assert [one.column.text for one in together.steps] == [""]
    assert [one.column.text for one in alone.steps] == ["c"]


def test_tags_that_begin_in_columns_are_told_apart() -> None:
    here = [TagOrigin(column=column, tag="pii", said=[TagAssertion(dataset=CRM)]) for column in "ab"]
    assert len(origins(here, ApprovalLineage()).told) == 2


def test_it_says_that_there_are_more_tags_than_are_told() -> None:
    shown = ApprovalLineage(columns=[ApprovalColumn(name=name, tags=["pii"]) for name in "ab"])
    assert origins([came("a", "j")], shown).more
    assert not origins([came("a", "j"), came("b", "j")], shown).more
    assert not origins([], shown).more
