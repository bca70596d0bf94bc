"""What one person is shown of an approval in a dialog: all of it, or why not and the way to the page. Pure."""

from hashlib import sha256
from typing import NamedTuple

import orjson

from pdp.channels.line import Line
from pdp.channels.offer import TOO_LARGE, Offer
from pdp.channels.teams.cards import CARD, Card, card, field, leading, sending
from pdp.channels.view_lines import brief, head, whole
from pdp.view.shown import Shown
from pdp.visible import visible

TITLE = "Review a request"
MAX_CARD = 20_000
"""Bytes of a card."""


class View(NamedTuple):
    """A dialog's card; the verdicts that it takes; the digest of all that is read in it, in hex."""

    card: Card
    verdicts: tuple[str, ...]
    rendered: str


def view(shown: Shown, offered: Offer, identity: str, token: str, *, note: str = "", only_no: bool = False) -> View:
    """The dialog of a person. `note` is why it is shown once more; `only_no` offers a denial alone."""
    made = _view(shown, offered, identity, token, note=note, only_no=only_no)
    if offered.whole and len(orjson.dumps(made.card)) > MAX_CARD:
        return _view(shown, TOO_LARGE, identity, token, note=note, only_no=only_no)
    return made


def _view(shown: Shown, offered: Offer, identity: str, token: str, *, note: str, only_no: bool) -> View:
    why = [Line("You cannot approve here", visible(offered.why))] if offered.why else []
    lines = [*head(identity, note), *(whole(shown) if offered.whole else brief(shown)), *why]
    given = offered.verdicts(only_no=only_no)
    buttons = [sending(verdict.capitalize(), verdict, shown.approval_id.text, token) for verdict in given]
    page = shown.page.text if shown.page else ""
    made = card(lines, [*buttons, *leading("Open the page", page)], [field("reason", "Reason")] if buttons else [])
    return View(made, given, rendered(made))


def sentence(text: str, page: str = "") -> Card:
    """A card that says something and asks nothing."""
    return card([Line("", visible(text))], leading("Open the page", page))


def dialog(shown: Card) -> Card:
    """The answer that shows a card as a dialog, which only who clicked sees."""
    held = {"title": TITLE, "width": "large", "height": "large", "card": {"contentType": CARD, "content": shown}}
    return {"task": {"type": "continue", "value": held}}


def rendered(shown: Card) -> str:
    """The digest of what a card shows, in hex: everything but what its buttons send."""
    buttons = [{name: held for name, held in one.items() if name != "data"} for one in shown.get("actions", ())]
    return sha256(orjson.dumps([TITLE, shown["body"], buttons], option=orjson.OPT_SORT_KEYS)).hexdigest()
