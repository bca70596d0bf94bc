"""Notices reach people and channels of Teams, are changed, and answered in their thread; refusals become ours."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.channels.notice import Note, Part, Refused
from pdp.channels.teams.channel import TeamsChannel
from pdp.channels.teams.connector import Connector
from pdp.channels.teams.notices import activity
from pdp.microsoft import Microsoft
from tests.pdp.channels.approvals import PAGE
from tests.pdp.channels.teams.conftest import buttons, secret_in
from tests.pdp.channels.teams.test_rendering import notice
from tests.teams import APP, CHANNEL, MAX_MESSAGE, PEOPLE, TENANT, TeamsDouble, double, words


@pytest.fixture
async def teams() -> AsyncIterator[TeamsDouble]:
    async with double() as made:
        yield made


@pytest.fixture
def connector(teams: TeamsDouble, tmp_path: Path) -> Connector:
    return Connector(APP, TENANT, secret_in(tmp_path), teams.microsoft)


@pytest.fixture
def channel(connector: Connector) -> TeamsChannel:
    return TeamsChannel(connector)


@pytest.mark.parametrize("to", [CHANNEL, PEOPLE["bob"]])
async def test_notice_is_posted_changed_and_answered_in_its_thread(
    teams: TeamsDouble, channel: TeamsChannel, to: str
) -> None:
    handle = await channel.post(to, notice())
    assert len(handle) <= 1000
    [posted] = teams.messages
    assert posted.conversation == (f"{CHANNEL};messageid=1:0" if to == CHANNEL else f"a:{PEOPLE['bob']}")
    await channel.edit(handle, notice(state="APPROVED", ends_at=None))
    assert list(buttons(posted.activity["attachments"][0]["content"])) == ["Open"]
    assert len(posted.versions) == 1
    await channel.reply(handle, notice())
    assert (teams.messages[1].conversation, teams.messages[1].reply_to) == (posted.conversation, posted.id)
    assert len(teams.tokens) == 1, "one token serves all calls"


async def test_sentence_is_posted(teams: TeamsDouble, channel: TeamsChannel) -> None:
    await channel.post(PEOPLE["bob"], Note("three requests wait for you"))
    assert "three requests wait" in json.dumps(teams.messages[0].activity)


@pytest.mark.parametrize(
    ("status", "headers", "retry_after", "dead"),
    [
        (429, {"Retry-After": "7"}, 7.0, False),
        (429, {}, 1.0, False),
        (500, {}, None, False),
        (401, {}, None, True),
        (403, {}, None, False),
        (302, {"Location": "https://evil.example/"}, None, False),
    ],
)
async def test_what_the_connector_refuses_is_refused(
    teams: TeamsDouble, channel: TeamsChannel, status: int, headers: dict[str, str], retry_after: float, *, dead: bool
) -> None:
    teams.refusals.append((status, headers))
    with pytest.raises(Refused) as refused:
        await channel.post(CHANNEL, notice())
    assert (refused.value.retry_after, refused.value.dead) == (retry_after, dead)
    assert str(status) in refused.value.problem
    await channel.post(CHANNEL, notice())


@pytest.mark.parametrize("to", [CHANNEL, PEOPLE["bob"]])
async def test_card_that_is_too_large_becomes_a_sentence_with_the_link(
    teams: TeamsDouble, channel: TeamsChannel, to: str
) -> None:
    large = notice(progress=tuple(Part(f"rule-{number}", 0, 1) for number in range(300)))
    assert len(json.dumps(activity(large))) > MAX_MESSAGE
    handle = await channel.post(to, large)
    [posted] = teams.messages
    await channel.reply(handle, large)
    for message in teams.messages:
        card = message.activity["attachments"][0]["content"]
        assert (words(card), buttons(card)) == ("A request waits for review", {"Open": PAGE})
    await channel.edit(handle, notice())
    await channel.edit(handle, large)
    assert words(posted.activity["attachments"][0]["content"]) == "A request waits for review"
    assert len(posted.versions) == 2


async def test_sentence_that_is_too_large_all_the_same_is_refused(teams: TeamsDouble, channel: TeamsChannel) -> None:
    teams.refusals += [(413, {}), (413, {})]
    with pytest.raises(Refused, match="413") as refused:
        await channel.post(CHANNEL, notice())
    assert (refused.value.retry_after, refused.value.dead) == (None, False)
    assert teams.messages == []


async def test_token_that_ends_early_is_renewed_at_the_next_call(teams: TeamsDouble, channel: TeamsChannel) -> None:
    await channel.check()
    teams.tokens = ["another"]
    with pytest.raises(Refused):
        await channel.post(CHANNEL, notice())
    await channel.post(CHANNEL, notice())


async def test_dead_secret_is_said_until_it_counts_again(
    teams: TeamsDouble, channel: TeamsChannel, connector: Connector
) -> None:
    teams.secret = "another"  # noqa: S105  # of the double alone
    with pytest.raises(Refused) as refused:
        await channel.check()
    assert refused.value.dead
    assert "login for our token" in connector.problem
    teams.secret = "app~secret"  # noqa: S105  # of the double alone
    await channel.check()
    assert connector.problem == ""


async def test_secret_that_others_can_read_is_not_sent(
    teams: TeamsDouble, channel: TeamsChannel, tmp_path: Path
) -> None:
    (tmp_path / "teams_secret").chmod(0o644)
    with pytest.raises(Refused) as refused:
        await channel.post(CHANNEL, notice())
    assert refused.value.dead
    assert teams.tokens == []


async def test_nobody_who_answers_is_a_refusal_that_may_be_tried_again(tmp_path: Path) -> None:
    nowhere = Microsoft("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1")
    with pytest.raises(Refused, match="did not answer") as refused:
        await TeamsChannel(Connector(APP, TENANT, secret_in(tmp_path), nowhere)).check()
    assert not refused.value.dead


def test_microsofts_own_addresses_are_the_default() -> None:
    assert Microsoft().connector == "https://smba.trafficmanager.net/teams"
    assert Microsoft().login == "https://login.microsoftonline.com"
    assert Microsoft().metadata == "https://login.botframework.com/v1/.well-known/openidconfiguration"
