"""Of whom an approval still waits, and what people read."""

from pdp.channels.wording import summary, wants
from tests.pdp.specimens import approval, review


def test_who_has_reviewed_is_not_waited_for_under_any_name() -> None:
    held = approval(reviews=(review("bob", person="user:robert"),))
    assert not wants(held, "user:bob")
    assert not wants(held, "user:robert")
    assert wants(held, "user:carol")


def test_summary_counts_in_english() -> None:
    assert summary(1).startswith("1 more request waits")
    assert summary(7).startswith("7 more requests wait")
    assert "20 an hour, 10 of them from one requester" in summary(7)
