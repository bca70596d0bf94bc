"""What a program says of a question is in the contract's message, each thing in its place."""

import pytest

from pdp.client.question import Said, asked, question, struct
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Action, Resource, Subject


def test_question_with_nothing_else_holds_nothing_else() -> None:
    wanted = AuthorizeRequest(
        subject=Subject(type="agent", id="bot"), action=Action(name="read"), resource=Resource(type="table", id="a:b")
    )
    assert asked("agent:bot", "read", "table:a:b") == wanted == question("agent:bot", "read", "table:a:b")


def test_all_that_may_be_said_arrives() -> None:
    said = Said(
        on_behalf_of=["user:alice"],
        properties={"rows": 3},
        context={"why": "audit"},
        request_id="r",
        approval_id="apr_1",
        justification="because",
        dry_run=True,
        explain=True,
        want_grant=True,
    )
    request = asked("agent:bot", "read", "table:t", **said)
    assert request.on_behalf_of == [Subject(type="user", id="alice")]
    assert (request.resource.properties["rows"], request.context["why"]) == (3, "audit")
    assert (request.request_id, request.approval_id, request.justification) == ("r", "apr_1", "because")
    assert (request.dry_run, request.explain, request.want_grant) == (True, True, True)
    assert {field.name for field, _ in request.ListFields()} == {
        "subject", "action", "resource", *(said.keys() - {"properties"}),
    }  # fmt: skip


def test_no_attributes_are_none_and_an_empty_object_is_one() -> None:
    assert not question("agent:bot", "read", "table:t").HasField("context")
    assert question("agent:bot", "read", "table:t", context={}).HasField("context")


@pytest.mark.parametrize("typed", ["table", "", "user alice"])
def test_what_is_not_typed_is_named(typed: str) -> None:
    with pytest.raises(ValueError, match="is not <type>:<id>"):
        question("agent:bot", "read", typed)


def test_chain_of_one_text_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a list"):
        question("agent:bot", "read", "table:t", on_behalf_of="user:alice")


@pytest.mark.parametrize(
    ("value", "why"), [('{"a": 1}', "begins like JSON"), (float("nan"), "properties"), (object(), "p")]
)
def test_what_json_cannot_hold_is_named(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        struct({"p": value}, "properties")
