"""The lines of a view: each leaf in the model's order, words of others visible, apart and named untrusted."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.channels import view_lines
from pdp.channels.line import Line
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
from pdp.view.shown import of_answer
from tests.pdp.channels.approvals import shown


@settings(max_examples=60, deadline=None)
@given(
    context=st.dictionaries(st.text(min_size=1, max_size=40), st.text(max_size=200) | st.integers(-9, 9), max_size=12),
    justification=st.text(max_size=100),
)
def test_every_leaf_has_a_line_of_its_own_in_order(context: dict[str, Any], justification: str) -> None:
    asked = shown(context, justification=justification)
    lines = list(view_lines.whole(asked))
    for item, line in zip(asked.request, lines, strict=False):
        assert line.text.startswith(item.text)
    assert all(line.text.isprintable() and line.label.isprintable() for line in lines)


def test_requesters_own_words_are_a_quote_and_come_last() -> None:
    lines = list(view_lines.whole(shown(justification="please\n\u202efast")))
    assert lines[-3:] == [
        Line("the requester's own words (untrusted)"),
        Line("", "please", is_quote=True),
        Line("", "\\u{202e}fast", is_quote=True),
    ]


def test_brief_view_has_no_value_and_no_id() -> None:
    text = " ".join(line.text for line in view_lines.brief(shown({"payee": "ACME"}, justification="do")))
    assert text.split() == ["share", "(table)", "agent:bot", "UNSPECIFIED"]


def test_answer_to_a_request_that_was_sent_back_says_what_is_new_and_no_value_of_that_one() -> None:
    answer = GetApprovalResponse(approval=Approval(), sent_back=Approval(approval_id="apr_1"))
    answer.approval.request.context.update({"rows": 1, "why": "x"})
    answer.sent_back.request.context.update({"rows": 99, "why": "x"})
    found = list(view_lines.around(of_answer(answer)))
    assert found[:3] == [
        Line("it answers", "apr_1, which was sent back"),
        Line("gone", "context.rows"),
        Line("new", "context.rows = 1"),
    ]


def test_head_says_as_whom_one_acts() -> None:
    assert list(view_lines.head("user:bob", "look")) == [Line("You act as", "user:bob"), Line("Note", "look")]


def test_look_alike_in_a_path_is_named_beside_its_value() -> None:
    [line] = [line for line in view_lines.whole(shown({"\u0430mount": 7})) if line.label.startswith("context")]
    assert line == Line('context["\u0430mount"]', "7  (not ASCII: \u0430 U+0430)")
