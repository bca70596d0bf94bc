"""What a reviewer reads of data: the most sensitive columns first, each with its mask, and the rest counted."""

from pdp.cli import seen_lineage
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalColumn,
    ApprovalDataset,
    ApprovalLineage,
    ColumnForecast,
    GetApprovalResponse,
    MaskForecast,
    TagOrigin,
)
from pdp.v1.dataset_pb2 import DatasetName, TagAssertion
from pdp.v1.request_pb2 import Action, Request
from pdp.view.shown import of_answer

DATA = ApprovalDataset(namespace="postgres://crm", name="crm.t")


def whole(answer: GetApprovalResponse, most: int | None = seen_lineage.SHOWN) -> str:
    known = of_answer(answer).data
    assert known is not None
    return "\n".join(seen_lineage.lines(known, most))


def answer(columns: list[ApprovalColumn], *masks: ColumnForecast, action: str = "export", **members: object) -> str:
    tags = sorted({tag for column in columns for tag in column.tags})
    lineage = ApprovalLineage(state="KNOWN", datasets=[DATA], tags=tags, columns=columns)
    forecast = MaskForecast(state="FORESEEN", columns=masks, policy_revision="0123456789abcdef", **members)  # type: ignore[arg-type]
    held = Approval(request=Request(action=Action(name=action)), lineage=lineage)
    return whole(GetApprovalResponse(approval=held, mask_forecast=forecast))


def test_each_column_says_its_tags_and_its_mask_and_clear_as_plainly() -> None:
    shown = answer(
        [
            ApprovalColumn(name="email", tags=["contact", "pii"]),
            ApprovalColumn(name="note", tags=["pii"]),
            ApprovalColumn(name="city", tags=["place"], new_tags=["place"]),
            ApprovalColumn(name="x", tags=["pii"]),
        ],
        ColumnForecast(name="city", mask="redact", rule="r.city"),
        ColumnForecast(name="email", mask="email", domain="customer.email", rule="r.email"),
        ColumnForecast(name="id", mask="clear", rule="r.id"),
        ColumnForecast(name="note", mask="clear", rule="r.note"),
        ColumnForecast(name="x", problem="no rule covers it"),
        required_by=["r.t"],
    )
    assert shown.splitlines() == [
        "data          postgres://crm crm.t",
        "carries       contact, pii, place",
        "masking       it must leave masked, as said below [r.t], by policy 0123456789ab and the tags of now",
        "  column city: +place (new) -> masked: redact  [r.city]",
        "  column email: contact, pii -> masked: email in domain customer.email  [r.email]",
        "  column note: pii -> clear: leaves as it is  [r.note]",
        "  column x: pii -> no mask fits, so it cannot be masked: no rule covers it",
        "  column id: no tags -> clear: leaves as it is  [r.id]",
    ]


def test_many_columns_are_readable() -> None:
    many = [ApprovalColumn(name=f"c{number:05}", tags=["internal"]) for number in range(9_998)]
    columns = [
        *many,
        ApprovalColumn(name="zip", tags=["internal", "pii"]),
        ApprovalColumn(name="zz", tags=["a:masked"]),
    ]
    shown = answer(columns, ColumnForecast(name="free", mask="clear", rule="r"))
    lines = shown.splitlines()
    assert len(lines) == 27
    assert lines[3] == "  column zip: internal, pii"
    assert lines[-4:] == [
        "  and 9,981 columns more (`pdp approvals show ID --all` has each):",
        "    9,979 with internal",
        "    1 with a:masked",
        "    1 with no tags -> clear: leaves as it is",
    ]
    held = Approval(lineage=ApprovalLineage(state="KNOWN", datasets=[DATA], columns=columns))
    assert len(whole(GetApprovalResponse(approval=held), None).splitlines()) == 10_002


def test_masking_that_nothing_demands_is_no_promise() -> None:
    assert "no rule says that it must leave masked; a mask would do what is said below" in answer([])
    assert "masking       it leaves as said below" in answer([], action="mask")


def test_list_has_a_few_tags_the_new_ones_first_and_where_they_began() -> None:
    shown = ApprovalLineage(tags=["a", "b", "c:masked", "d", "e"], new_tags=["e"])
    said = [TagAssertion(dataset=DatasetName(name=name)) for name in ("crm.t", "hr.t", "crm.t")]
    assert seen_lineage.brief(shown) == "+e, a, b, 2 more"
    assert seen_lineage.brief(shown, [TagOrigin(said=said)]) == "+e, a, b, 2 more from crm.t, hr.t"
    assert not seen_lineage.brief(ApprovalLineage())


def test_names_of_others_are_shown_as_they_are() -> None:
    shown = answer([ApprovalColumn(name="a\n  column b: no tags", tags=["pii\u202e"])])
    assert '"a\\u{a}  column b: no tags": pii\\u{202e}' in shown


def test_why_masks_cannot_be_foreseen_is_said() -> None:
    for state, words in (("OFF", "does not mask"), ("UNKNOWN", "not known"), ("TOO_WIDE", "more columns"), ("?", "?")):
        held = GetApprovalResponse(approval=Approval(lineage=ApprovalLineage(state="UNKNOWN")))
        held.mask_forecast.state = state
        assert any(line.startswith("masking") and words in line for line in whole(held).splitlines())
