"""What the policy says of masks is parsed strictly; a column with no mask or with two is refused by name."""

from typing import Any

import pytest

from pdp.errors import Conflict, MaskPlanRefused, PolicyInvalid
from pdp.masking.question import AT_ONCE, Column, columns_named, foreseen, names, parts, selection, tagged, whole

IDS = {"rule": "ids", "reason": "ids", "columns": ["id"], "domain": "customer"}
TAGGED = {"rule": "tagged", "reason": "tagged", "tags": ["pii"], "mask": "partial", "keep_first": 1}
COLUMNS = [Column("id", "string"), Column("note", "string")]


def answer(*entries: Any, **columns: list[Any]) -> dict[str, Any]:
    return {
        "entries": list(entries),
        "columns": {"id": [IDS], "note": [TAGGED], **columns},
        "domains": {"customer": {"mask": "token"}},
        "people": {"agent:bot": "agent:bot", "user:alice": "slack:U1"},
        "revisions": ["r1"],
    }


def test_masks_are_what_masker_takes() -> None:
    selected = selection(answer(IDS, TAGGED), COLUMNS)
    assert selected.masks == (
        {"column": "id", "rule": "ids", "domain": "customer"},
        {"column": "note", "rule": "tagged", "mask": "partial", "keep_first": 1},
    )
    assert selected.domains == {"customer": {"mask": "token"}}
    assert selected.people == {"agent:bot": "agent:bot", "user:alice": "slack:U1"}
    assert selected.revision == "r1"


def test_two_rules_with_one_mask_are_one() -> None:
    other = {**TAGGED, "rule": "other", "reason": "another", "tags": ["hr"]}
    assert selection(answer(note=[TAGGED, other]), COLUMNS).masks[1]["rule"] == "other, tagged"


@pytest.mark.parametrize("other", [{"keep_first": 2}, {"mask": "redact"}, {"character": "*"}])
def test_two_masks_name_column_and_rules(other: dict[str, Any]) -> None:
    entries = [TAGGED, {**TAGGED, "rule": "other", **other}]
    with pytest.raises(MaskPlanRefused, match="note has two different masks, by the rules other, tagged") as refused:
        selection(answer(note=entries), COLUMNS)
    assert refused.value.metadata == {"column": "note", "rule": "other, tagged"}


CLEAR = {"rule": "clear", "reason": "clear", "columns": ["note"], "mask": "clear"}
REDACT = {"rule": "redact", "reason": "redact", "columns": ["note"], "mask": "redact"}


@pytest.mark.parametrize(
    ("entries", "rules"),
    [
        ([TAGGED, {**REDACT, "rank": 1}], "redact"),
        ([{**TAGGED, "rank": 1}, REDACT], "tagged"),
        ([TAGGED, {**REDACT, "rank": -1}], "tagged"),
        ([{**TAGGED, "rank": 7}, {**TAGGED, "rule": "other", "rank": 7}, REDACT], "other, tagged"),
        ([REDACT, {**CLEAR, "rank": 1}], "clear"),
        ([TAGGED, {**CLEAR, "rank": 1}], "tagged"),
        ([{**TAGGED, "rank": -5}, {**CLEAR, "rank": 1}, {**REDACT, "rank": 0}], "redact"),
        ([TAGGED, {**CLEAR, "columns": ["*"], "rank": 9}], "tagged"),
        ([TAGGED, {"rule": "public", "reason": "x", "tags": ["public"], "mask": "clear", "rank": 9}], "tagged"),
        ([CLEAR, {"rule": "public", "reason": "x", "tags": ["public"], "mask": "clear"}], "clear, public"),
    ],
)
def test_the_highest_rank_wins_and_clear_never_over_a_mask_that_follows_a_tag(
    entries: list[dict[str, Any]], rules: str
) -> None:
    assert selection(answer(note=entries), COLUMNS).masks[1]["rule"] == rules
    assert selection(answer(note=entries[::-1]), COLUMNS).masks[1]["rule"] == rules


def test_two_masks_of_the_highest_rank_are_two() -> None:
    entries = [{**TAGGED, "rank": 3}, {**REDACT, "rank": 3}, {**CLEAR, "rank": 9}]
    with pytest.raises(MaskPlanRefused, match="note has two different masks, by the rules redact, tagged"):
        selection(answer(note=entries), COLUMNS)


def test_columns_get_the_tags_that_lineage_has_by_the_names_of_people() -> None:
    odd = Column('a["First Name"]', "string", above=("a",), also=("a.First Name",))
    columns = [Column("a", "struct", leaf=False), odd, Column("id", "string")]
    assert names(columns) == ["a", "a.First Name", "id"]
    known = {"a": ["address"], "a.First Name": ["pii"], "id": []}
    assert [column.tagged for column in tagged(columns, known)] == [
        {"a": ["address"]},
        {'a["First Name"]': ["pii"], "a.First Name": ["pii"], "a": ["address"]},
        {},
    ]
    assert tagged(columns, {}) == columns


def test_uncovered_columns_are_all_named() -> None:
    with pytest.raises(MaskPlanRefused, match="no mask for column id, note") as refused:
        selection(answer(id=[], note=[]), COLUMNS)
    assert [path for path, _ in refused.value.violations] == ["id", "note"]
    assert selection(answer(id=[], note=[]), COLUMNS, partial=True).masks == ()


def test_a_mask_around_a_column_covers_it() -> None:
    columns = [Column("a", "struct", leaf=False), Column("a.b", "string", above=("a",))]
    whole = {**answer(), "columns": {"a": [{**TAGGED, "mask": "nullify"}], "a.b": []}}
    assert [mask["column"] for mask in selection(whole, columns).masks] == ["a"]
    with pytest.raises(MaskPlanRefused, match=r"a\.b"):
        selection({**answer(), "columns": {"a": [], "a.b": []}}, columns)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (None, "wrong_type"),
        ({}, "wrong_type"),
        ({**IDS, "rule": ""}, "wrong_type"),
        ({**IDS, "rank": "high"}, "wrong_type"),
        ({**IDS, "rank": True}, "wrong_type"),
        ({**IDS, "rank": 1.5}, "wrong_type"),
        ({**IDS, "reason": 1}, "wrong_type"),
        ({"rule": "r", "reason": "r", "colums": ["id"], "domain": "customer"}, "unknown_key"),
        ({**IDS, "tags": ["pii"]}, "unknown_key"),
        ({**IDS, "mask": "redact"}, "unknown_key"),
        ({"rule": "r", "reason": "r", "columns": ["id"]}, "unknown_key"),
        ({**IDS, "columns": "id"}, "wrong_type"),
        ({**IDS, "columns": []}, "wrong_type"),
        ({**IDS, "columns": [1]}, "wrong_type"),
        ({**IDS, "domain": ["customer"]}, "wrong_type"),
    ],
)
def test_an_entry_that_is_not_one_is_refused_even_where_it_names_no_column(entry: Any, problem: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        selection(answer(IDS, entry), COLUMNS)
    assert refused.value.problem == problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"columns": {"id": [IDS]}}, "wrong_keys"),
        ({"columns": {"id": [IDS], "note": [TAGGED], "more": []}}, "wrong_keys"),
        ({"columns": {"id": [IDS], "note": "x"}}, "wrong_type"),
        ({"columns": None}, "wrong_keys"),
        ({"entries": None}, "wrong_type"),
        ({"domains": {"customer": "token"}}, "wrong_type"),
        ({"domains": []}, "wrong_type"),
        ({"revisions": []}, "no_revision"),
        ({"people": {}}, "wrong_type"),
        ({"people": None}, "wrong_type"),
        ({"people": {"user:alice": 1}}, "wrong_type"),
        ({"more": 1}, "unknown_key"),
    ],
)
def test_an_answer_of_another_shape_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        selection({**answer(), **change}, COLUMNS)
    assert refused.value.problem == problem


def test_no_answer_is_none() -> None:
    with pytest.raises(PolicyInvalid):
        selection(None, COLUMNS)


def test_wide_table_is_asked_about_in_parts_and_answered_as_a_whole() -> None:
    columns = [Column(f"c{number}", "string") for number in range(2 * AT_ONCE + 1)]
    asked = list(parts(columns))
    assert [len(part) for part in asked] == [AT_ONCE, AT_ONCE, 1]
    answers = [{**answer(TAGGED), "columns": {column.name: [TAGGED] for column in part}} for part in asked]
    selected = selection(whole(answers), columns)
    assert [mask["column"] for mask in selected.masks] == [column.name for column in columns]
    assert list(parts([])) == [[]]


def test_parts_by_two_policies_are_not_one_answer() -> None:
    with pytest.raises(Conflict):
        whole([answer(), {**answer(), "revisions": ["r2"]}])
    with pytest.raises(PolicyInvalid):
        whole([answer(), {**answer(), "columns": []}])


def test_foreseen_tells_of_each_column_what_a_plan_would_refuse_as_a_whole() -> None:
    other = {**TAGGED, "rule": "other", "mask": "redact"}
    found = foreseen(answer(note=[TAGGED, other], bare=[]), [*COLUMNS, Column("bare", "")])
    assert found.masks["id"] == {"column": "id", "rule": "ids", "domain": "customer"}
    assert "two different masks" in str(found.masks["note"])
    assert "no mask for column bare" in str(found.masks["bare"])
    assert (found.domains, found.revision) == ({"customer": {"mask": "token"}}, "r1")
    with pytest.raises(PolicyInvalid):
        foreseen(answer(note=[{"mask": "redact"}], bare=[]), COLUMNS)


def test_column_inside_another_has_that_ones_mask_and_one_around_others_needs_none() -> None:
    columns = columns_named(["a", "a.zip", "First Name"])
    assert [(one.name, one.leaf, one.above, one.also) for one in columns] == [
        ("a", False, (), ()),
        ("a.zip", True, ("a",), ()),
        ('["First Name"]', True, (), ("First Name",)),
    ]
    whole_answer = answer(**{"a": [IDS], "a.zip": [], '["First Name"]': [TAGGED]})
    del whole_answer["columns"]["id"], whole_answer["columns"]["note"]
    masks = foreseen(whole_answer, columns).masks
    assert masks["a.zip"] == {"column": "a", "rule": "ids", "domain": "customer"}
    whole_answer["columns"] |= {"a": [], "a.zip": [IDS]}
    assert foreseen(whole_answer, columns).masks["a"] == {}
