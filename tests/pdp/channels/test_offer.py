"""What a view in any chat offers: all of a request or nothing, at the limits; and where the policy wants it."""

from typing import Any

import pytest

from pdp.channel import Channel
from pdp.channels.offer import TOO_LARGE, Offer, offer
from pdp.requirement import Requirement
from pdp.v1.approval_pb2 import ApprovalLineage
from tests.pdp.channels.approvals import shown

CHATS = (Channel.SLACK, Channel.TEAMS)
ASKED = (Requirement("chat", "read it", channels=CHATS),)
YES = Offer(whole=True, yes=True, no=True)


@pytest.mark.parametrize("channel", CHATS)
@pytest.mark.parametrize(
    ("context", "offered"),
    [
        ({f"k{index}": "x" for index in range(60)}, YES),
        ({f"k{index}": "x" for index in range(61)}, TOO_LARGE),
        ({"k": "x" * 1000}, YES),
        ({"k": "x" * 1001}, TOO_LARGE),
        ({"k": "\u200b" * 125}, YES),
        ({"k": "\u200b" * 126}, TOO_LARGE),
        ({"k" * 1001: "x"}, TOO_LARGE),
        ({f"k{index}": "x" * 950 for index in range(6)}, YES),
        ({f"k{index}": "x" * 990 for index in range(7)}, TOO_LARGE),
        ({f"k{index}": "\u200b" * 90 for index in range(7)}, YES),
        ({f"k{index}": "\u200b" * 110 for index in range(7)}, TOO_LARGE),
        ({f"k{index}": '"' * 450 for index in range(7)}, TOO_LARGE),
        ({f"k{index}": "\u0440" * 990 for index in range(6)}, TOO_LARGE),
        ({f"{index}\u202e" * 60: "x" for index in range(12)}, TOO_LARGE),
    ],
)
def test_all_of_a_request_or_nothing(context: dict[str, Any], offered: Offer, channel: Channel) -> None:
    assert offer(shown(context), ASKED, channel) == offered


def test_words_of_the_requester_count_too() -> None:
    assert offer(shown(justification="please " * 200), ASKED, Channel.TEAMS).yes
    assert not offer(shown(justification="\u200b" * 2000), ASKED, Channel.TEAMS).yes


@pytest.mark.parametrize("channel", CHATS)
def test_policy_says_where_and_how(channel: Channel) -> None:
    page = Requirement("page", "there")
    key = Requirement("key", "with it", channels=(channel,), passkey=True)
    elsewhere = offer(shown(), (page,), channel)
    assert (elsewhere.whole, elsewhere.yes, elsewhere.no) == (False, False, True)
    assert offer(shown(), (*ASKED, page), channel) == elsewhere
    assert offer(shown(), (), channel) == elsewhere
    signed = offer(shown(), (*ASKED, key), channel)
    assert (signed.whole, signed.yes, signed.no) == (True, False, True)


def test_another_chat_than_the_policys_shows_nothing() -> None:
    asked = (Requirement("chat", "read it", channels=(Channel.SLACK,)),)
    assert not offer(shown(), asked, Channel.TEAMS).whole


def test_data_of_which_only_a_part_is_known_here_is_shown_elsewhere() -> None:
    assert offer(shown(lineage=ApprovalLineage(truncated=True)), ASKED, Channel.TEAMS) == TOO_LARGE
