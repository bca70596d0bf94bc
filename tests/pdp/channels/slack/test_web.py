"""Slack's answers as ours, and the channel for notices."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.channels.notice import Note, Part, Refused
from pdp.channels.slack.channel import SlackChannel
from pdp.channels.slack.web import SlackWeb, is_gone
from pdp.dev.slack.service import SlackDouble
from tests.pdp.channels.slack.conftest import secrets_in, words
from tests.pdp.channels.slack.test_rendering import notice
from tests.slack import BOT, TEAM, Clock, double, modal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackDouble]:
    async with double(clock) as made:
        yield made


@pytest.fixture
def token(tmp_path: Path) -> Path:
    return secrets_in(tmp_path)["bot_token"]


async def test_notice_is_posted_edited_and_answered(slack: SlackDouble, token: Path, clock: Clock) -> None:
    channel = SlackChannel(SlackWeb(token, slack.url), TEAM)
    await channel.check()
    handle = await channel.post("CSTEWARDS", notice())
    await channel.edit(handle, notice(state="APPROVED", ends_at=None))
    clock.seconds += 1
    await channel.reply(handle, notice())
    posted, reply = slack.space.messages
    assert (posted.text, posted.edits, reply.thread) == ("A request for review has ended", 1, posted.ts)
    handle = await channel.post("UBOB", Note("two more wait"))
    await channel.edit(handle, notice())
    assert [one.channel for one in slack.space.messages] == ["CSTEWARDS", "CSTEWARDS", "DBOB"]


async def test_notice_that_is_too_long_becomes_a_sentence_with_the_link(
    slack: SlackDouble, token: Path, clock: Clock
) -> None:
    channel = SlackChannel(SlackWeb(token, slack.url), TEAM)
    long = notice(progress=tuple(Part(f"{number}".rjust(80, "x"), 0, 1) for number in range(180)))
    handle = await channel.post("CSTEWARDS", long)
    clock.seconds += 1
    await channel.reply(handle, long)
    await channel.edit(handle, long)
    posted, reply = slack.space.messages
    for message in (posted, reply):
        assert words(message.blocks) == "A request waits for review Open"
    assert (posted.edits, reply.thread) == (1, posted.ts)


async def test_limit_says_when_to_come_again(slack: SlackDouble, token: Path) -> None:
    web = SlackWeb(token, slack.url)
    await web.post("CSTEWARDS", "one", [])
    with pytest.raises(Refused) as refused:
        await web.post("CSTEWARDS", "two", [])
    assert (refused.value.retry_after, refused.value.dead) == (1, False)


async def test_dead_token_is_told_until_another_is_there(slack: SlackDouble, token: Path) -> None:
    web = SlackWeb(token, slack.url)
    token.write_text("xoxb-revoked")
    with pytest.raises(Refused) as refused:
        await SlackChannel(web, TEAM).check()
    assert refused.value.dead
    assert "invalid_auth" in web.problem
    token.chmod(0o644)
    with pytest.raises(Refused) as refused:
        await web.team()
    assert refused.value.dead
    token.write_text(BOT)
    token.chmod(0o600)
    await web.team()
    assert not web.problem


async def test_channel_without_us_stops_no_other(slack: SlackDouble, token: Path) -> None:
    web = SlackWeb(token, slack.url)
    slack.space.refused["COTHER"] = "not_in_channel"
    with pytest.raises(Refused) as refused:
        await web.post("COTHER", "x", [])
    assert (refused.value.dead, web.problem) == (False, "")


async def test_no_answer_is_no_answer(slack: SlackDouble, token: Path) -> None:
    web = SlackWeb(token, slack.url)
    slack.lost.add("chat.postMessage")
    with pytest.raises(Refused, match="did not answer") as refused:
        await web.post("CSTEWARDS", "x", [])
    assert (refused.value.retry_after, refused.value.dead, refused.value.away) == (None, False, True)
    slack.is_away = True
    with pytest.raises(Refused, match="did not answer") as refused:
        await web.team()
    assert (refused.value.dead, refused.value.away) == (False, True)
    await slack.stop()
    with pytest.raises(Refused, match="did not answer"):
        await web.team()


async def test_click_that_came_too_late_is_gone(slack: SlackDouble, token: Path) -> None:
    web = SlackWeb(token, slack.url)
    with pytest.raises(Refused) as refused:
        await web.open("1.2", modal())
    assert is_gone(refused.value)


async def test_token_of_another_team_is_dead(slack: SlackDouble, token: Path) -> None:
    with pytest.raises(Refused, match="another team") as refused:
        await SlackChannel(SlackWeb(token, slack.url), "T2").check()
    assert refused.value.dead
