"""Which groups of an approval still lack people."""

from pdp.channels.spreading import lacking_groups
from pdp.requirement import Requirement
from tests.pdp.specimens import approval, review

OWNERS = Requirement("rules.owners", "owners look at it", ("owners", "boss"), count=1)
STEWARDS = Requirement("rules.stewards", "stewards look at it", ("stewards",), count=2)


def test_groups_of_a_requirement_that_has_its_people_are_not_asked() -> None:
    both = (OWNERS, STEWARDS)
    assert lacking_groups(approval(requirements=both)) == {"owners", "boss", "stewards"}
    one = approval(requirements=both, reviews=(review("bob", fits=(0, 1)),))
    assert lacking_groups(one) == {"stewards"}
