"""Every text of an approval is on its page, as text, in each state of things."""

import html
import re

import pytest
from google.protobuf.message import Message

from pdp.audit.record import Kind
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.inbox import look
from pdp.inbox.whole_page import members, told
from pdp.v1.approval_pb2 import GetApprovalResponse
from tests.approvals_page import HOSTILE
from tests.cli.test_display import fill
from tests.hostile_words import only_request
from tests.pdp.view.test_shown import LEFT_OUT, number

SCRIPTS = 3
"""Scripts that the page names."""
BOB = Caller("user:bob", "person", frozenset({"reviewer"}), (), b"")
NOT_ON_THE_PAGE = {
    # It is the page, or stands only beside something that is not so here.
    "GetApprovalResponse.page", "GetApprovalResponse.may_not_review_reason", "ApprovalLineage.state",
    "MaskForecast.state", "GetApprovalResponse.may_not_review_because", "ColumnForecast.mask", "ColumnForecast.domain",
    "ColumnForecast.rule",
}  # fmt: skip


def rendered(answer: GetApprovalResponse, caller: Caller = BOB) -> str:
    shown = {**members(answer, "dev", caller, "t"), **told(None, {})}
    return look.page("approval", shown).decode()


def without_json(message: Message) -> None:
    """A server answers requests as messages alone."""
    for field, value in message.ListFields():
        if field.name.endswith("_json"):
            message.ClearField(field.name)
        elif field.message_type and not field.message_type.full_name.startswith("google"):
            for one in value if field.is_repeated else [value]:
                without_json(one)


def full() -> tuple[GetApprovalResponse, list[str]]:
    answer = GetApprovalResponse()
    made = number(answer, [])
    without_json(answer)
    return answer, made


def missing(made: list[str], page: str) -> set[str]:
    return {text.split("=")[0] for text in made if not re.search(rf"{re.escape(text)}(?![0-9])", html.unescape(page))}


def test_every_text_of_an_approval_is_on_its_page() -> None:
    answer, made = full()
    answer.may_review, answer.mask_forecast.state = True, "FORESEEN"
    left_out = missing(made, rendered(answer))
    assert left_out <= LEFT_OUT | NOT_ON_THE_PAGE, left_out - LEFT_OUT - NOT_ON_THE_PAGE


def test_what_stands_in_the_place_of_something_else_is_on_it_too() -> None:
    answer, made = full()
    answer.approval.lineage.ClearField("datasets")
    answer.mask_forecast.columns[0].problem = ""
    page = rendered(answer)
    left_out = missing(made, page)
    shown = {
        "ApprovalLineage.state", "MaskForecast.state", "GetApprovalResponse.may_not_review_because",
        "ColumnForecast.mask", "ColumnForecast.domain", "ColumnForecast.rule",
    }  # fmt: skip
    assert not left_out & shown


@pytest.mark.parametrize("may", [True, False])
def test_no_text_becomes_markup_or_hides(may: bool) -> None:  # noqa: FBT001
    answer = GetApprovalResponse()
    fill(answer)
    answer.may_review = may
    answer.approval.request.Clear()
    for part in (answer.approval.request.subject, answer.approval.request.resource):
        part.type, part.id = "x", "<script>alert(1)</script>\u202e"
    answer.approval.request.action.name = "javascript:alert(1)"
    for number_, text in enumerate(HOSTILE):
        answer.approval.request.context[f"{number_}{text}"] = text
    page = rendered(answer)
    assert page.count("<script") == SCRIPTS
    assert (page.count("<img"), page.count("<svg"), page.count("<h1")) == (0, 0, 1)
    assert 'href="javascript' not in page
    assert not {"\u202e", "\u200b", "\u2066", "\ufeff", "\x1b", "\x00", "\r"} & set(page)


def test_tokens_are_named_beside_their_hash() -> None:
    answer = GetApprovalResponse()
    asked = answer.approval.request
    asked.action.name, asked.resource.type, asked.resource.id = "unmask", "table", "people"
    asked.subject.type, asked.subject.id = "agent", "bot"
    asked.context.update(
        {"tokens_tree": "A" * 43, "count": 7, "chunks": 2, "columns": ["iban"], "column_domains": ["d"]}
    )
    page = rendered(answer)
    assert "(stands for tokens)" in page
    assert "7 of table" in page.replace("\n", " ")
    assert "in 2 chunks" in page


def test_forms_are_there_for_whom_they_are() -> None:
    answer = GetApprovalResponse(may_review=True)
    asked = answer.approval.request
    asked.subject.type = asked.subject.id = asked.action.name = asked.resource.type = asked.resource.id = "x"
    answer.approval.state = 1
    assert 'id="approve"' in rendered(answer)
    answer.may_review = False
    assert 'id="approve"' not in rendered(answer)
    answer.approval.state = 2
    assert 'id="revoke"' in rendered(answer)
    answer.approval.requester_principals.append("user:bob")
    assert 'id="revoke"' not in rendered(answer)
    assert 'id="revoke"' not in rendered(answer, Caller("user:eve", "person", frozenset({"requester"}), (), b""))


def test_page_of_what_has_ended_says_nothing_of_what_waits() -> None:
    answer = GetApprovalResponse(may_review=False, may_not_review_reason="APPROVAL_NOT_PENDING")
    held = answer.approval
    held.request.subject.type = held.request.subject.id = held.request.action.name = "x"
    held.request.resource.type = held.request.resource.id = "x"
    held.requirements.add(rule="r", count=2, groups=["readers"])
    held.reviews.add(reviewer="user:bob", verdict="VERDICT_DENY")
    held.denied_until.FromSeconds(4_102_444_800)
    held.state = 1
    assert "2 still missing" in rendered(answer)
    held.state = 3
    ended = rendered(answer)
    assert "not met when it ended" in ended
    assert "Who had to agree" in ended
    assert "It is denied, so it takes no more approvals." in ended
    assert ">The same is denied until<" in ended
    assert 'id="take-back"' in ended
    held.denied_until.FromSeconds(1)
    ended = rendered(answer)
    assert "still missing" not in ended
    assert ">The same was denied until<" in ended
    assert 'id="take-back"' not in ended


def test_page_says_first_what_its_reader_has_decided_and_where_a_verdict_counts() -> None:
    answer = GetApprovalResponse()
    held = answer.approval
    held.request.subject.type = held.request.subject.id = held.request.action.name = "x"
    held.request.resource.type = held.request.resource.id = "x"
    held.state = 1
    held.requirements.add(rule="r", count=2, approved=1, groups=["readers"])
    held.requirements[0].channels.extend(("REVIEW_CHANNEL_API", "REVIEW_CHANNEL_WEB", "REVIEW_CHANNEL_TEAMS"))
    held.reviews.add(reviewer="user:carol", verdict="VERDICT_APPROVE", channel="REVIEW_CHANNEL_WEB")
    assert "Your verdict is kept" not in rendered(answer)
    assert "a yes counts only in: the terminal or a program, the inbox, Microsoft Teams" in rendered(answer)
    assert ", in the inbox" in rendered(answer)
    held.reviews.add(reviewer="user:bob", verdict="VERDICT_APPROVE")
    page = rendered(answer)
    assert "Your verdict is kept: <strong>approve</strong>" in page
    assert page.index("Your verdict is kept") < page.index("What is asked")
    assert page.count("Your verdict is kept") == 1


def test_page_says_in_words_what_people_were_told_and_who_is_not_told_yet() -> None:
    answer = GetApprovalResponse()
    held = answer.approval
    held.request.subject.type = held.request.subject.id = held.request.action.name = "x"
    held.request.resource.type = held.request.resource.id = "x"
    held.state = 1
    told = {"kind": "TIMELINE_KIND_TOLD", "who": "user:carol", "event": "approval.created", "told_in": "slack"}
    answer.timeline.add(**told)
    answer.timeline.add(kind="TIMELINE_KIND_TOLD", who="ops", event="approval.closed")
    answer.notifications.add(event="approval.reviewed", state="waiting", channel="slack", to="user:bob")
    page = " ".join(re.sub("<[^>]*>", "", rendered(answer)).split())
    assert "told user:carol that it waits, in slack" in page
    assert "told webhook ops how it ended" in page
    assert "user:bob in slack, how far it is: waiting, not tried yet" in page
    assert "approval." not in page
    assert {kind for kind in Kind if kind.startswith("approval.")} <= {*look.SUBJECTS}, "each has words"
    answer.ClearField("notifications")
    answer.notifications.add(event="approval.closed", state="waiting")
    assert "not yet" not in rendered(answer), "a step that is not split into messages has nobody to go to yet"
    answer.notifications.add(event="approval.closed", state="dead", attempts=10, problem="OPA does not answer")
    assert "those whom it concerns, how it ended: " in rendered(answer)


def test_what_differs_from_the_one_that_was_sent_back_is_on_the_page() -> None:
    answer = GetApprovalResponse(may_review=True)
    for one in (answer.approval, answer.sent_back):
        one.request.subject.type = one.request.subject.id = one.request.action.name = "x"
        one.request.resource.type = one.request.resource.id = "x"
    answer.sent_back.approval_id = "apr_1"
    answer.approval.request.context.update({"rows": 1})
    answer.sent_back.request.context.update({"rows": 99})
    page = rendered(answer)
    assert "Compared with the one that was sent back" in page
    assert '<del>then:</del> <bdi class="value">context.rows = 99</bdi>' in page
    assert '<ins>now:</ins> <bdi class="value">context.rows = 1</bdi>' in page


def test_refusal_names_its_fields_and_keeps_the_words_as_they_were() -> None:
    answer = GetApprovalResponse(may_review=True)
    asked = answer.approval.request
    asked.subject.type = asked.subject.id = asked.action.name = asked.resource.type = asked.resource.id = "x"
    refused = InvalidRequest.field("reason", "is <b>bad</b>")
    form = {"reason": "\na\\b</textarea><b>", "suggestion": "", "verdict": "DENY"}
    page = look.page("approval", {**members(answer, "dev", BOB, "t"), **told(refused, form)}).decode()
    assert "<code>reason</code>: is &lt;b&gt;bad&lt;/b&gt;" in page
    assert ">\n\na\\b&lt;/textarea&gt;&lt;b&gt;</textarea>" in page


def test_record_of_a_step_is_a_link_for_auditors_alone() -> None:
    answer = GetApprovalResponse()
    asked = answer.approval.request
    asked.subject.type = asked.subject.id = asked.action.name = asked.resource.type = asked.resource.id = "x"
    answer.timeline.add(kind="TIMELINE_KIND_ASKED", record_id='rec_1"><b>&')
    dana = Caller("user:dana", "person", frozenset({"reviewer", "auditor"}), (), b"")
    assert 'href="/inbox/records/rec_1%22%3E%3Cb%3E%26"' in rendered(answer, dana)
    assert "rec_1&#34;&gt;&lt;b&gt;&amp;" in rendered(answer)
    assert "/inbox/records" not in rendered(answer)


def test_look_alike_of_any_place_is_named_as_in_a_terminal() -> None:
    answer = only_request("p\u0430ypal")
    page = re.sub(r"<textarea.*?</textarea>|<[^>]*>", "", rendered(answer).replace("</dt>\n", " "), flags=re.DOTALL)
    lines = [line for line in page.split("\n") if "\u0430" in line]
    assert [line for line in lines if "not ASCII: \u0430 U+0430" not in line] == []
    assert len(lines) > 30
