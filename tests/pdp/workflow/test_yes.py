"""In which requirements a yes counts, by the channel that it came from. A table over the channels."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pdp.approval import (
    Approval,
)
from pdp.channel import Channel
from pdp.quorum import (
    Eligibility,
)
from pdp.requirement import Requirement
from pdp.verdict_errors import ChannelNotAllowed, PasskeyRequired
from pdp.workflow.yes import counted
from tests.pdp.specimens import approval, review

PAGE = "https://pdp.example/inbox/approvals/apr_1"
BOB = Eligibility("user:bob", "user:bob", (0, 1))
PLAIN = Requirement("plain", "because", ("stewards",))
WEB = replace(PLAIN, rule="web", channels=(Channel.WEB,))
CHAT = replace(PLAIN, rule="chat", channels=(Channel.SLACK, Channel.WEB))
KEY = replace(PLAIN, rule="key", passkey=True)


def held(*requirements: Requirement, reviewed: Sequence[int] = ()) -> Approval:
    reviews = (review("carol", fits=tuple(reviewed)),) if reviewed else ()
    return approval(requirements=requirements, reviews=reviews)


def yes(asked: Approval, channel: Channel = Channel.API, *, passkey: bool = False) -> tuple[int, ...]:
    fits = tuple(range(len(asked.requirements)))
    return counted(asked, replace(BOB, fits=fits), asked.principals, channel, passkey=passkey, page=PAGE)


@pytest.mark.parametrize("channel", Channel)
def test_yes_counts_by_default_where_the_whole_request_is_shown(channel: Channel) -> None:
    if channel in {Channel.API, Channel.WEB}:
        assert yes(held(PLAIN), channel) == (0,)
        return
    with pytest.raises(ChannelNotAllowed) as refused:
        yes(held(PLAIN), channel)
    assert refused.value.sentence.startswith(f"plain counts no yes that comes by {channel}, only one by api or web")
    assert refused.value.metadata == {"page": PAGE}


@pytest.mark.parametrize(
    ("requirements", "channel", "fits"),
    [
        ([PLAIN, WEB], Channel.API, (0,)),
        ([PLAIN, WEB], Channel.WEB, (0, 1)),
        ([CHAT, WEB], Channel.SLACK, (0,)),
        ([CHAT, WEB], Channel.API, None),
        ([CHAT, WEB], Channel.TEAMS, None),
    ],
)
def test_yes_counts_where_its_channel_is_named(
    requirements: list[Requirement], channel: Channel, fits: tuple[int, ...] | None
) -> None:
    if fits is not None:
        assert yes(held(*requirements), channel) == fits
        return
    with pytest.raises(ChannelNotAllowed):
        yes(held(*requirements), channel)


def test_channel_of_a_requirement_that_has_its_people_is_not_enough() -> None:
    assert yes(held(PLAIN, WEB)) == (0,)
    with pytest.raises(ChannelNotAllowed, match="web counts no yes that comes by api"):
        yes(held(PLAIN, WEB, reviewed=[0]))
    assert yes(held(PLAIN, WEB, reviewed=[0]), Channel.WEB) == (0, 1)


def test_passkey_is_asked_for_where_the_channel_fits() -> None:
    with pytest.raises(PasskeyRequired) as refused:
        yes(held(KEY))
    assert refused.value.metadata == {"page": PAGE}
    assert yes(held(KEY), passkey=True) == (0,)
    assert yes(held(KEY, PLAIN)) == (1,)
    with pytest.raises(ChannelNotAllowed):
        yes(held(replace(KEY, channels=(Channel.WEB,))), passkey=True)


def test_who_still_approves_what_has_its_people_is_counted_as_before() -> None:
    assert yes(held(PLAIN, reviewed=[0])) == (0,)


def test_without_pages_no_address_is_told() -> None:
    with pytest.raises(PasskeyRequired) as refused:
        counted(held(KEY), replace(BOB, fits=(0,)), (), Channel.API, passkey=False)
    assert refused.value.metadata == {}
    assert refused.value.sentence == "key counts a yes only with your passkey"
