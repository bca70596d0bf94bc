"""The model of what people are shown: whole, never ambiguous, and each text either ours or marked as another's."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.canonical import canonical
from pdp.v1.approval_pb2 import Approval, ApprovalReview, EligibleReviewers, GetApprovalResponse, Requirement
from pdp.v1.request_pb2 import Request
from pdp.view.progress import Why
from pdp.view.request import differences, items, leaves
from pdp.view.shown import of_answer, of_approval
from pdp.view.theirs import Theirs
from tests.cli.terminal import is_harmless
from tests.cli.test_display import EVIL, REQUEST, fill


def parsed(members: dict[str, Any]) -> Request:
    return json_format.ParseDict(members, Request())


def texts(model: object) -> Iterator[Theirs | str]:
    """Every text in a model, ours and theirs."""
    if isinstance(model, Theirs | str):
        yield model
    elif isinstance(model, tuple):
        for one in model:
            yield from texts(one)
    elif is_dataclass(model):
        for field in fields(model):
            yield from texts(getattr(model, field.name))
    else:
        assert model is None or isinstance(model, bool | int | float | datetime), model


def full() -> GetApprovalResponse:
    answer = GetApprovalResponse()
    fill(answer)
    return answer


def test_each_text_is_ours_or_marked_as_anothers() -> None:
    found = list(texts(of_answer(full())))
    ours = [text for text in found if isinstance(text, str)]
    assert len(ours) < len(found)
    for text in ours:
        assert isinstance(text, StrEnum) or (text.isascii() and text.isprintable() and text == text.strip()), text
        assert "ciso" not in text, "what came from outside is not marked"


def test_nothing_of_theirs_is_harmful_in_any_of_its_forms() -> None:
    for text in texts(of_answer(full())):
        if isinstance(text, Theirs):
            assert is_harmless(text.visible + text.quoted + text.name)
            assert "\n" not in text.visible + text.quoted + text.name


def test_every_text_of_an_approval_is_in_its_model() -> None:
    """Each field gets a text of its own, so that a forgotten one is missed."""
    answer = GetApprovalResponse()
    made = number(answer, [])
    there = {text.text for text in texts(of_answer(answer)) if isinstance(text, Theirs)}
    left_out = {named.split("=")[0] for named in made if named not in there}
    assert left_out <= LEFT_OUT, left_out - LEFT_OUT


LEFT_OUT = {
    # What programs need and people do not.
    "Approval.decision_id", "Approval.policy_revision", "Approval.used_by_decision_id", "ApprovalLineage.head",
    "ApprovalReview.policy_revision", "ApprovalReview.signature", "ApprovalReview.rules", "Requirement.summary",
    "ApprovalReview.view_digest", "PasskeyAssertion.statement",
    # Those that are among the tags.
    "ApprovalColumn.new_tags", "ApprovalLineage.new_tags",
    # The same as JSON, which the server never answers.
    "Subject.properties_json", "Action.properties_json", "Resource.properties_json", "Request.context_json",
}  # fmt: skip


def number(message: Message, made: list[str], inside: str = "") -> list[str]:
    """Fill every text of a message; each says which field it is of. Those before it are compared, and not shown."""
    for field in message.DESCRIPTOR.fields:
        kind = field.message_type.full_name if field.message_type else ""
        if kind.startswith("google.protobuf") or inside in {"last_approved", "sent_back"}:
            continue
        if kind:
            inner = getattr(message, field.name)
            number(inner.add() if field.is_repeated else inner, made, field.name)
        elif field.type == field.TYPE_STRING:
            made.append(f"{message.DESCRIPTOR.name}.{field.name}={len(made)}")
            if field.is_repeated:
                getattr(message, field.name).append(made[-1])
            else:
                setattr(message, field.name, made[-1])
    return made


@settings(max_examples=150, deadline=None)
@given(REQUEST, REQUEST)
def test_requests_that_differ_have_models_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = parsed(one), parsed(other)
    equal = canonical(first, "dev").digest == canonical(second, "dev").digest
    assert (tuple(items(first)) == tuple(items(second))) == equal
    assert bool(differences(first, second)) != equal


@settings(max_examples=150, deadline=None)
@given(REQUEST, st.randoms(use_true_random=False))
def test_a_request_that_differs_in_one_place_differs_in_its_model(members: dict[str, Any], chance: Any) -> None:
    before, after = parsed(members), parsed(members)
    after.context[f"k{chance.randrange(3)}"] = chance.randrange(3)
    equal = canonical(before, "dev").digest == canonical(after, "dev").digest
    assert bool(differences(before, after)) != equal


def test_chain_in_another_order_differs() -> None:
    chain = [{"type": "user", "id": name} for name in ("alice", "bob")]
    one, other = parsed({"onBehalfOf": chain}), parsed({"onBehalfOf": chain[::-1]})
    assert len(differences(one, other)) == 4


def test_who_may_not_review_is_there_once_and_says_why() -> None:
    held = Approval(requester_principals=["user:alice"], reviews=[ApprovalReview(reviewer="user:bob")])
    found = {one.identity.text: one.why for one in of_approval(held).barred}
    assert found == {"user:alice": Why.REQUESTER, "user:bob": Why.REVIEWED}


def test_progress_says_what_is_missing_and_who_is_left() -> None:
    answer = GetApprovalResponse(
        approval=Approval(state="APPROVAL_STATE_PENDING", requirements=[Requirement(rule="r", count=3, approved=1)]),
        eligible=[EligibleReviewers(rule="r", identities=["user:bob"])],
    )
    shown = of_answer(answer)
    assert [one.missing for one in shown.needs] == [2]
    assert [one.identities for one in shown.eligible] == [(Theirs("user:bob"),)]
    assert [(one.missing, one.named) for one in shown.too_few] == [(2, 1)]


def test_what_differs_from_the_one_that_was_sent_back_is_there() -> None:
    before = Approval(approval_id="apr_1", request=parsed({"context": {"rows": 9}}))
    answer = GetApprovalResponse(approval=Approval(request=parsed({"context": {"rows": 1}})), sent_back=before)
    shown = of_answer(answer)
    assert shown.sent_back is not None
    assert shown.sent_back.approval_id.text == "apr_1"
    assert [(one.is_new, one.item.text) for one in shown.sent_back.differences] == [(False, "9"), (True, "1")]
    assert of_answer(GetApprovalResponse(approval=answer.approval)).sent_back is None


@pytest.mark.parametrize("hash_of", ["tokens_tree", "tokens_sha256"])
def test_a_hash_names_what_it_stands_for(hash_of: str) -> None:
    request = {"action": {"name": "unmask"}, "resource": {"type": "table", "id": "t"}, "context": {hash_of: "ab"}}
    shown = of_approval(Approval(request=parsed(request))).request
    assert [item.path.text for item in leaves(shown) if item.stands_for == "tokens"] == [f"context.{hash_of}"]


def test_words_of_others_are_apart() -> None:
    shown = of_approval(Approval(justification=EVIL, close_reason="no", closed_by="user:bob"))
    assert (shown.words.justification.text, shown.words.close_reason.text) == (EVIL, "no")
    elsewhere = [text for field in fields(shown) if field.name != "words" for text in texts(getattr(shown, field.name))]
    assert not [text for text in elsewhere if isinstance(text, Theirs) and text.text in (EVIL, "no")]
