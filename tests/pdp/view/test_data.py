"""What is known of data, as every channel shows it: the most sensitive first, what is new, and what masks will do."""

import pytest

from pdp.v1.approval_pb2 import ApprovalColumn, ApprovalLineage, ColumnForecast, MaskForecast, TagOrigin
from pdp.v1.dataset_pb2 import DatasetName, TagAssertion
from pdp.view.data import Done, Outlook, carried, data


def test_columns_come_the_most_sensitive_first_and_those_without_tags_with_their_masks() -> None:
    shown = ApprovalLineage(
        columns=[
            ApprovalColumn(name="a", tags=["x:masked"]),
            ApprovalColumn(name="b", tags=["pii"]),
            ApprovalColumn(name="c", tags=["new"], new_tags=["new"]),
        ]
    )
    known = data(shown, MaskForecast(state="FORESEEN", columns=[ColumnForecast(name="d", mask="clear")]), "export")
    assert [column.name.text for column in known.columns] == ["c", "b", "a", "d"]
    assert [tag.is_new for column in known.columns for tag in column.tags] == [True, False, False]
    assert [column.mask.done for column in known.columns if column.mask] == [Done.CLEAR]


@pytest.mark.parametrize(
    ("foreseen", "done"),
    [
        (ColumnForecast(mask="clear"), Done.CLEAR),
        (ColumnForecast(mask="token"), Done.MASKED),
        (ColumnForecast(), Done.BY_PARTS),
        (ColumnForecast(mask="token", problem="no rule covers it"), Done.UNFIT),
    ],
)
def test_what_becomes_of_a_column(foreseen: ColumnForecast, done: Done) -> None:
    (column,) = data(ApprovalLineage(), MaskForecast(state="FORESEEN", columns=[foreseen]), "export").columns
    assert column.mask is not None
    assert column.mask.done is done


@pytest.mark.parametrize(
    ("state", "rules", "action", "outlook"),
    [
        ("FORESEEN", ["r"], "export", Outlook.REQUIRED),
        ("FORESEEN", [], "export", Outlook.FREE),
        ("FORESEEN", ["r"], "mask", Outlook.MASKING),
        ("OFF", ["r"], "mask", Outlook.UNKNOWN),
        ("what a newer server says", [], "export", Outlook.UNKNOWN),
    ],
)
def test_whether_it_must_leave_masked(state: str, rules: list[str], action: str, outlook: Outlook) -> None:
    known = data(ApprovalLineage(), MaskForecast(state=state, required_by=rules), action)
    assert known.forecast is not None
    assert known.forecast.outlook is outlook


def test_list_has_the_first_tags_and_counts_the_others() -> None:
    shown = ApprovalLineage(tags=["a", "b:masked", "c", "d", "e"], new_tags=["e"])
    said = [TagAssertion(dataset=DatasetName(name=f"t{number}")) for number in (1, 2, 3, 4, 1)]
    found = carried(shown, [TagOrigin(said=said)])
    assert [(tag.text.text, tag.is_new) for tag in found.tags] == [("e", True), ("a", False), ("c", False)]
    assert (found.more_tags, found.more_begins) == (2, 1)
