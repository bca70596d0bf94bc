"""The cards: all of a request or nothing, every text of others in a `TextRun`, within 20 KB."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.channel import Channel
from pdp.channels.notice import Aim, Ending, Note, Notice, Part, Reviewed, said
from pdp.channels.offer import Offer, offer
from pdp.channels.teams import notices, rendering
from pdp.channels.teams.cards import Card
from pdp.requirement import Requirement
from tests.pdp.channels.approvals import APPROVAL_ID, PAGE, shown
from tests.pdp.channels.teams.conftest import buttons
from tests.teams import texts, words

ASKED = (Requirement("chat", "read it", channels=(Channel.TEAMS,)),)
HOSTILE = (
    "**CFO** [x](https://x) <at>x</at> <b>&amp; {{DATE(2017-02-14T06:08:39Z, SHORT)}} ${x} \u202e\u200b javascript:x"
)
KINDS = {"AdaptiveCard", "RichTextBlock", "TextRun", "Container", "Input.Text", "Action.Submit", "Action.OpenUrl"}


def drawn(context: dict[str, Any] | None = None, **members: Any) -> Card:
    asked = shown(context, **members)
    return rendering.view(asked, offer(asked, ASKED, Channel.TEAMS), "user:bob", "t" * 43).card


def kinds(part: Any) -> Iterator[str]:
    """The kinds of all parts of a card."""
    if isinstance(part, list):
        for one in part:
            yield from kinds(one)
    elif isinstance(part, dict):
        if "type" in part:
            yield part["type"]
        for name, one in part.items():
            if name != "data":
                yield from kinds(one)


@settings(max_examples=60, deadline=None)
@given(
    context=st.dictionaries(st.text(min_size=1, max_size=40), st.text(max_size=200) | st.integers(-9, 9), max_size=12),
    justification=st.text(max_size=100),
)
def test_every_leaf_of_any_request_is_in_a_text_run(context: dict[str, Any], justification: str) -> None:
    asked = shown(context, justification=justification)
    view = rendering.view(asked, offer(asked, ASKED, Channel.TEAMS), "user:bob", "t")
    assert set(kinds(view.card)) <= KINDS
    assert len(json.dumps(view.card, ensure_ascii=False).encode()) <= rendering.MAX_CARD + 2000
    if "Approve" in buttons(view.card):
        said = [text.replace("\u00a0", " ") for text in texts(view.card)]
        for item in asked.request:
            assert any(item.text.replace("{{", "{\\u{7b}") in one for one in said)


def test_request_whose_card_is_too_large_is_shown_elsewhere() -> None:
    wide = shown({f"k{index:02}": '"' * 39 for index in range(60)}, justification='"' * 2000)
    offered = offer(wide, ASKED, Channel.TEAMS)
    assert offered.yes
    card = rendering.view(wide, offered, "user:bob", "t").card
    assert "too long to be shown here as a whole" in words(card)
    assert "k00" not in words(card)
    assert list(buttons(card)) == ["Deny", "Open the page"]


def test_blanks_are_kept_and_are_told_from_others() -> None:
    one, two, fixed = (drawn({"k": f"a{blank}b"}) for blank in (" ", "  ", " \u00a0"))
    assert any('"a \u00a0b"' in text for text in texts(two))
    assert len({words(card) for card in (one, fixed)}) == 2
    assert any("\\u{a0}" in text for text in texts(fixed))


def test_dates_that_renderers_would_write_anew_are_literal() -> None:
    for card in (drawn({"k": "{{{DATE(2017-02-14T06:08:39Z)}}"}), notices.notice(notice())):
        assert not [text for text in texts(card) if "{{" in text]
    assert any('"{\\u{7b}{DATE(2017' in text for text in texts(drawn({"k": "{{{DATE(2017-02-14T06:08:39Z)}}"})))


def test_what_differs_looks_different() -> None:
    def digest(context: dict[str, Any], *, sent: str = "", only_no: bool = False) -> str:
        asked = shown(context)
        offered = offer(asked, ASKED, Channel.TEAMS)
        return rendering.view(asked, offered, "user:bob", sent, only_no=only_no).rendered

    assert digest({"k": "a"}) != digest({"k": "b"})
    assert digest({"k": "a"}, sent="other") == digest({"k": "a"}), "nobody sees the token"
    assert digest({"k": "a"}, only_no=True) != digest({"k": "a"})


def test_who_may_not_review_is_told_why_and_asked_nothing() -> None:
    offered = Offer(whole=False, yes=False, no=False, why="you have reviewed it")
    view = rendering.view(shown(), offered, "user:bob", "t")
    assert not view.verdicts
    assert list(buttons(view.card)) == ["Open the page"]
    assert "Input.Text" not in set(kinds(view.card))
    assert "you have reviewed it" in words(view.card)


def notice(**changes: Any) -> Notice:
    members: dict[str, Any] = {
        "aim": Aim.ASK,
        "approval_id": APPROVAL_ID,
        "version": 1,
        "state": "PENDING",
        "action": said(HOSTILE),
        "resource_type": said(HOSTILE),
        "caller": said(HOSTILE),
        "progress": (Part("export", 1, 2),),
        "reviews": (Reviewed("user:bob", "APPROVE", "teams"),),
        "ends_at": datetime(2026, 11, 30, tzinfo=UTC),
        "page": PAGE,
    }
    return Notice(**{**members, **changes})


def test_notice_waits_with_three_buttons_and_ends_with_one() -> None:
    assert list(buttons(notices.notice(notice()))) == ["Review", "Deny", "Open"]
    ending = Ending("no <at>x</at>", None, datetime(2026, 11, 30, tzinfo=UTC), "ask again")
    for ended in (notice(state="DENIED", ends_at=None, ended_by="user:bob"), notice(aim=Aim.END, ending=ending)):
        assert list(buttons(notices.notice(ended))) == ["Open"]
    assert buttons(notices.notice(notice(state="DENIED", page=""))) == {}


@pytest.mark.parametrize("message", [notice(), Note("three wait", PAGE)])
def test_what_a_phone_shows_of_a_message_has_no_word_of_others(message: Notice | Note) -> None:
    sent = notices.activity(message)
    assert sent["summary"] in {"A request waits for review", "A message from Placet"}
    assert "text" not in sent
    assert set(kinds(sent["attachments"][0]["content"])) <= KINDS
    assert "\u202e" not in json.dumps(sent, ensure_ascii=False)
