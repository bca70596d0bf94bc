"""Words of others in every field and every channel: literal, each character visible, and nothing but text."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from pdp.approval import ApprovalAt, ReviewVerdict, State
from pdp.canonical import canonical
from pdp.channel import Channel
from pdp.channels import plain
from pdp.channels.notice import Aim, Notice
from pdp.channels.offer import Offer, offer
from pdp.channels.slack import notices as slack_notices
from pdp.channels.slack import rendering as slack_rendering
from pdp.channels.teams import notices as teams_notices
from pdp.channels.teams import rendering as teams_rendering
from pdp.channels.wording import notice_of
from pdp.cli import display
from pdp.dev.slack import rules
from pdp.dev.slack.page import blocks as drawn
from pdp.notify.incoming import Format, incoming
from pdp.requirement import Requirement
from pdp.v1.request_pb2 import Request
from pdp.view.request import Named
from pdp.view.shown import Shown, of_answer
from pdp.visible import visible
from tests.cli.terminal import is_harmless
from tests.hostile_words import HIDDEN, LONG, PAGE, WORDS, is_literal, members, only_request
from tests.pdp.channels.teams.test_rendering import KINDS, kinds
from tests.pdp.notify.test_incoming import STEP, strings
from tests.pdp.specimens import T0, approval, review
from tests.teams import texts

LEAVES = 4 * 5
"""Leaves of a request of these words, in each of which they stand as value, key or both."""
NAMES = 5
"""Names of a request that are these words: whose, what, to what kind of thing and to which; and the caller."""
WHOLE = Offer(whole=True, yes=True, no=True)
every = pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())


def shown(words: str) -> Shown:
    return of_answer(only_request(words))


def notice(words: str, aim: Aim = Aim.ASK) -> Notice:
    """What people are told of a request of these words; at its end with the words of a reviewer."""
    request = canonical(json_format.ParseDict(members(words), Request()), "dev")
    state = State.DENIED if aim is Aim.END else State.PENDING
    held = approval(
        state=state,
        request=request.json,
        caller=f"agent:{words}",
        requirements=(Requirement(words, words, (words,)),),
        reviews=(review(words, ReviewVerdict.DENY, reason=words),),
        closed_by=f"user:{words}" if aim is Aim.END else "",
        close_reason=words if aim is Aim.END else "",
        closed_at=T0 if aim is Aim.END else None,
    )
    return notice_of(ApprovalAt(held, T0), aim, PAGE)


def of_kind(part: Any, kind: str) -> Iterator[Any]:
    """The parts of blocks of one kind."""
    if isinstance(part, list):
        for one in part:
            yield from of_kind(one, kind)
    elif isinstance(part, dict):
        yield from [part] if part.get("type") == kind else []
        for one in part.values():
            yield from of_kind(one, kind)


def is_text_of_slack(blocks: list[Any], words: str, times: int) -> None:
    """Slack's own rules take the blocks, and its people see the words as they are."""
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
    runs = [one["text"] for one in of_kind(blocks, "text")]
    assert is_literal("\n".join(runs), words, times)
    for other in ("mrkdwn", "link", "user", "broadcast", "emoji", "image"):
        assert not list(of_kind(blocks, other)), other
    assert not any(visible(words)[:9] in one["text"] for one in of_kind(blocks, "plain_text"))
    page = drawn(blocks)
    assert not [tag for tag in ("<mark", "<img", "<svg", "<script", "<strong>CFO", "<b>") if tag in page]


@every
def test_view_in_slack(words: str) -> None:
    view = slack_rendering.view(shown(words), WHOLE, f"user:{words}", "t" * 43, note=words)
    assert not rules.of_view(view)
    View(**view).validate_json()
    is_text_of_slack(view["blocks"], words, LEAVES + NAMES)


@every
def test_dialog_in_teams(words: str) -> None:
    card = teams_rendering._view(shown(words), WHOLE, f"user:{words}", "t", note=words, only_no=False).card
    assert set(kinds(card)) <= KINDS
    said = "\n".join(texts(card)).replace("\u00a0", " ")
    assert "{{" not in said
    assert is_literal(said.replace("{\\u{7b}", "{{"), words, LEAVES + NAMES)
    around = {name: held for name, held in card.items() if name != "body"}
    assert visible(words)[:9] not in json.dumps(around, ensure_ascii=False)


@every
@pytest.mark.parametrize("aim", [Aim.ASK, Aim.END])
def test_notice_in_slack_teams_and_a_mail(words: str, aim: Aim) -> None:
    told = notice(words, aim)
    times = 5 if aim is Aim.ASK else 7
    short = visible(words)[:60]
    is_text_of_slack(slack_notices.blocks(told), words, 0)
    for said in (
        "\n".join(one["text"] for one in of_kind(slack_notices.blocks(told), "text")),
        "\n".join(texts(teams_notices.notice(told))).replace("\u00a0", " ").replace("{\\u{7b}", "{{"),
        plain.text(told).replace(":\\u{2f}/", "://").replace("www\\u{2e}", "www."),
    ):
        assert said.count(short) >= times, said
        assert not HIDDEN & {*said}
    assert set(kinds(teams_notices.notice(told))) <= KINDS
    assert plain.text(told).count("://") == 1
    assert "www." not in plain.text(told)
    mail = EmailMessage()
    mail["Subject"] = plain.subject(told)
    mail.set_content(plain.text(told))
    assert mail.get_content_type() == "text/plain"
    assert short not in str(mail["Subject"])


@every
def test_webhooks_of_slack_and_teams(words: str) -> None:
    request = orjson.dumps(members(words))
    places = {
        Format.SLACK: ".blocks[].elements[].elements[].text",
        Format.TEAMS: ".attachments[].content.body[].inlines[].text",
    }
    for of, place in places.items():
        body = json.loads(incoming(replace(STEP, caller=f"agent:{words}", request=request), of, PAGE))
        found = [(path, text) for path, text in strings(body) if visible(words)[:60] in text]
        assert {path for path, _ in found} == {place}
        assert sum(text.count(visible(words)[:60]) for _, text in found) == 3
        assert not any(HIDDEN & {*text} for _, text in strings(body))


@every
def test_terminal(words: str) -> None:
    page = display.approval(only_request(words).approval)
    assert is_harmless(page)
    assert is_literal(page, words, LEAVES + NAMES)


def test_look_alike_is_named_beside_each_line_that_has_one() -> None:
    words = WORDS["look-alike"]
    told, seen = notice(words, Aim.END), shown(words)
    noted = "not ASCII: \u0440 U+0440"
    view = slack_rendering.view(seen, WHOLE, "user:bob", "t" * 43)
    lines = ["".join(run["text"] for run in part["elements"]) for part in _sections(view["blocks"])]
    assert [line for line in lines if not line.isascii() and noted not in line] == []
    assert sum(noted in line for line in lines) >= len(seen.request)
    assert noted in told.action
    assert noted in told.caller
    for text in (plain.text(told), incoming(replace(STEP, caller=words), Format.TEAMS, "").decode()):
        assert noted in text
    names = [item for item in seen.request if isinstance(item, Named)]
    assert len(names) == 4


def _sections(blocks: list[Any]) -> list[Any]:
    return [*of_kind(blocks, "rich_text_section"), *of_kind(blocks, "rich_text_quote")]


def test_hidden_character_is_told_from_its_escape_in_a_notice() -> None:
    """A hidden character has one backslash, and a text that looks like its escape has two."""
    for text, said in {"a\u202eb": "a\\u{202e}b", "a\\u{202e}b": "a\\\\u{202e}b"}.items():
        told = notice(text)
        for channel in (
            "\n".join(one["text"] for one in of_kind(slack_notices.blocks(told), "text")),
            "\n".join(texts(teams_notices.notice(told))),
            plain.text(told),
        ):
            assert f"({said})" in channel
            assert channel.count("\\\\u") == (0 if said.count("\\") == 1 else channel.count("u{202e}"))


@pytest.mark.parametrize("channel", [Channel.SLACK, Channel.TEAMS])
def test_word_of_20_kb_is_shown_elsewhere_and_shortened_in_a_notice(channel: Channel) -> None:
    answer = only_request("x")
    answer.approval.request.context["payee"] = LONG
    found = offer(of_answer(answer), (Requirement("chat", "read it", channels=(channel,)),), channel)
    assert (found.whole, found.yes, found.no) == (False, False, True)
    told = notice("x", Aim.END)
    long = replace(told, ending=replace(told.ending, words=LONG[:500])) if told.ending else told
    assert not rules.of_message("x", slack_notices.blocks(long))
