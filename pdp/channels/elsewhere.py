"""Where a message goes that waited for a person who is not told in its channel any more."""

from collections.abc import Sequence

from pdp.channels.choices import Choices
from pdp.channels.ways import GROUP, Way
from pdp.store.letters import Letter, Letters
from pdp.store.notifications import Errand


class Elsewhere:
    """Moves letters between channels."""

    def __init__(self, ways: Sequence[Way], letters: Letters, choices: Choices) -> None:
        self._ways, self._letters, self._choices = ways, letters, choices

    async def tell(self, letter: Letter) -> None:
        """Make the letters of the channels in which a person is told now, unless one of these has one.

        A reminder that cannot be a reply becomes the notice that asks.
        """
        if letter.who.startswith(GROUP):
            return
        errand = Errand.END if letter.errand is Errand.END else Errand.ASK
        ways = {way.channel.name for way in await self._choices.ways_of(letter.who, self._ways)}
        made = [one for one in await self._letters.notices(letter.approval_id) if _same(one, letter, errand)]
        if not ways & {one.channel for one in made}:
            for channel in sorted(ways):
                await self._letters.add(letter.leading_to(channel, errand, letter.who))


def _same(one: Letter, letter: Letter, errand: Errand) -> bool:
    """Whether a notice tells the same person the same: one asks once, and each end is told of."""
    is_same = errand is Errand.ASK or one.record_id == letter.record_id
    return (one.who, one.errand) == (letter.who, errand) and is_same
