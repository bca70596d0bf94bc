"""What a list chooses to show of requests, before any channel words it."""

from pdp.v1.approval_pb2 import Approval
from pdp.view.row import cut, kind, rows
from tests.cli.test_telling import held, unmasking


def shown(*approvals: Approval) -> list[list[str]]:
    return [[leaf.path.text for leaf in row.shown] for row in rows(approvals)]


def test_paths_that_differ_are_chosen_as_the_policy_names_them() -> None:
    assert shown(held({"a": 1, "b": 1}), held({"a": 1, "b": 2})) == [["context.b"], ["context.b"]]
    assert shown(held({"a": {"b c": 1}}, summary=("context.a",))) == [['context.a["b c"]']]


def test_number_is_not_taken_for_the_text_that_looks_like_it() -> None:
    one, other = rows([held({"a": 1}), held({"a": "1"})])
    assert one.looks != other.looks
    assert [cut(leaf) for leaf in (*one.shown, *other.shown)] == ["1", '"1"']


def test_long_values_are_cut_in_the_row_alone_and_marked_apart() -> None:
    one, other = rows([held({"a": "x" * 99 + "1"}), held({"a": "x" * 99 + "2"})])
    assert cut(one.shown[0]) == cut(other.shown[0])
    assert one.mark != other.mark
    assert one.shown[0] != other.shown[0]


def test_caller_is_there_only_where_another_asks() -> None:
    own, others = rows([held(), held(caller="agent:gateway")])
    assert own.caller is None
    assert others.caller is not None
    assert others.caller.text == "agent:gateway"


def test_unmasking_has_its_columns_and_is_of_its_kind() -> None:
    (row,) = rows([unmasking()])
    assert row.opens is not None
    assert [(one.column.text, one.domain.text) for one in row.opens.columns] == [
        ("email", "person.email"),
        ("id", "person.id"),
    ]
    assert row.opens.further == []
    assert kind(row.held)[:2] == ("unmask", "table")
