"""The cards for Teams, parsed, validated and rendered by Microsoft's `adaptivecards` in Chromium: texts are literal."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pdp.channel import Channel
from pdp.channels.notice import Aim, Note, said
from pdp.channels.offer import offer
from pdp.channels.teams import notices, rendering
from pdp.channels.teams.cards import Card
from tests.chromium import chromium
from tests.hostile_words import WORDS
from tests.languages.clients import ran
from tests.languages.pages import FOLDER
from tests.pdp.channels.approvals import PAGE, shown
from tests.pdp.channels.teams.test_rendering import ASKED, HOSTILE, notice
from tests.pdp.channels.test_hostile_words import WHOLE
from tests.pdp.channels.test_hostile_words import notice as notice_of_words
from tests.pdp.channels.test_hostile_words import shown as shown_of_words
from tests.teams import texts

TOOLS = ("node", "npm", "chromium-headless-shell")
SCRIPT = FOLDER / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.js"
DRAWN = """card => {
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = `<i class="markup">${text}</i>`; result.didProcess = true;
  };
  const made = new AdaptiveCards.AdaptiveCard();
  const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
  made.parse(card, context);
  const drawn = made.render();
  document.body.replaceChildren(drawn);
  const parsed = Array.from({length: context.eventCount}, (_, index) => context.getEventAt(index).message);
  const invalid = made.validateProperties().validationEvents.map(event => event.message);
  const active = drawn.querySelectorAll("a, img, svg, script, .markup").length;
  return {problems: [...parsed, ...invalid], active, text: drawn.textContent};
}"""
"""Draws a card with a Markdown processor, which no text of ours may reach."""


def tried() -> None:
    """Raise where something fails."""
    ran("npm", "ci", "--silent", "--no-audit", "--no-fund", folder=FOLDER)
    for card, found in zip(cards(), asyncio.run(drawn(cards())), strict=True):
        assert found["problems"] == []
        assert found["active"] == 0
        for text in texts(card):
            assert text in found["text"], text


def cards() -> Sequence[Card]:
    """A view of a hostile request, notices, a sentence; and both with all kinds of words in every place."""
    asked = shown({"note": HOSTILE, "blanks": "a  b", HOSTILE[:30]: "x"}, justification=f"{HOSTILE}\n<svg onload=x>")
    view = rendering.view(asked, offer(asked, ASKED, Channel.TEAMS), "user:bob", "t")
    return [
        view.card,
        notices.notice(notice()),
        notices.notice(notice(state="DENIED", ended_by=said(HOSTILE))),
        notices.notice(Note("three wait", PAGE)),
        rendering.sentence(HOSTILE, PAGE),
        *(
            rendering._view(shown_of_words(one), WHOLE, one, "t", note=one, only_no=False).card
            for one in WORDS.values()
        ),
        *(notices.notice(notice_of_words(one, Aim.END)) for one in WORDS.values()),
    ]


async def drawn(made: Sequence[Card]) -> list[Any]:
    """What the renderer makes of each."""
    async with chromium() as browser:
        page = await browser.new_page()
        await page.add_script_tag(path=SCRIPT)
        return [await page.evaluate(DRAWN, card) for card in made]
