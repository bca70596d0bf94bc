"""What people are told of an approval says how it stands and how to go on, and of whom it still waits."""

import pytest

from pdp.approval import ApprovalAt, State
from pdp.channels.notice import Aim
from pdp.channels.wording import TOLD_OF, ending_of, notice_of, summary, wants
from tests.pdp.specimens import T0, approval, review


@pytest.mark.parametrize("state", sorted(TOLD_OF))
def test_each_ending_says_how_to_go_on(state: State) -> None:
    ending = ending_of(ApprovalAt(approval(state, closed_at=T0, approved_at=T0), T0))
    assert ending.again
    assert bool(ending.usable_until) == (state is State.APPROVED)


@pytest.mark.parametrize("aim", Aim)
def test_only_who_is_told_of_the_end_hears_how_to_go_on(aim: Aim) -> None:
    told = notice_of(ApprovalAt(approval(State.DENIED, closed_at=T0), T0), aim, "")
    assert (told.ending is not None) == (aim is Aim.END)


def test_who_has_reviewed_is_not_waited_for_under_any_name() -> None:
    held = approval(reviews=(review("bob", person="user:robert"),))
    assert not wants(held, "user:bob")
    assert not wants(held, "user:robert")
    assert wants(held, "user:carol")


def test_summary_counts_in_english() -> None:
    assert summary(1).startswith("1 more request waits")
    assert summary(7).startswith("7 more requests wait")
    assert "20 an hour, 10 of them from one requester" in summary(7)
