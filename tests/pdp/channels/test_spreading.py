"""Which groups of an approval still lack people."""

from pdp.channels.spreading import lacking_groups
from pdp.channels.wording import summary, wants
from pdp.requirement import Requirement
from tests.pdp.specimens import approval, review

OWNERS = Requirement("rules.owners", "owners look at it", ("owners", "boss"), count=1)
STEWARDS = Requirement("rules.stewards", "stewards look at it", ("stewards",), count=2)


def test_groups_of_a_requirement_that_has_its_people_are_not_asked() -> None:
    both = (OWNERS, STEWARDS)
    assert lacking_groups(approval(requirements=both)) == {"owners", "boss", "stewards"}
    one = approval(requirements=both, reviews=(review("bob", fits=(0, 1)),))
    assert lacking_groups(one) == {"stewards"}


def test_who_has_reviewed_is_not_waited_for_under_any_name() -> None:
    held = approval(reviews=(review("bob", person="user:robert"),))
    assert not wants(held, "user:bob")
    assert not wants(held, "user:robert")
    assert wants(held, "user:carol")


def test_summary_counts_in_english() -> None:
    assert summary(1).startswith("1 more request waits")
    assert summary(7).startswith("7 more requests wait")
