"""The parts of Adaptive Cards that we send: words of others stand in `TextRun`, which knows no markup. Pure.

No `TextBlock`, no `FactSet` and no image is ever made. Each text of others has passed `visible` before it comes here.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from pdp.channels.line import Line
from pdp.channels.offer import MAX_REASON

Card: TypeAlias = dict[str, Any]
CARD = "application/vnd.microsoft.card.adaptive"
"""The media type of a card."""
VERSION = "1.5"
"""The version of Adaptive Cards that Teams has everywhere."""
MAX_URL = 2000
"""Characters of an address that a button opens."""
FETCH, SUBMIT = "task/fetch", "task/submit"
"""What Teams calls opening a dialog, and sending one."""
ASK, NO, VERDICT = "review", "deny", "verdict"
"""What our buttons say of themselves."""


def card(lines: Iterable[Line], actions: Sequence[Card], fields: Sequence[Card] = ()) -> Card:
    """A card: lines, then fields, then buttons."""
    body = [*map(_drawn, lines), *fields]
    made: Card = {"type": "AdaptiveCard", "version": VERSION, "body": body}
    return made | ({"actions": list(actions)} if actions else {})


def field(name: str, label: str) -> Card:
    """A field for a reason, which may stay empty."""
    return {"type": "Input.Text", "id": name, "label": label, "isMultiline": True, "maxLength": MAX_REASON}


def opening(title: str, kind: str, approval_id: str) -> Card:
    """A button that opens a dialog."""
    data = {"msteams": {"type": FETCH}, "placet": kind, "approval": approval_id}
    return {"type": "Action.Submit", "title": title, "data": data}


def sending(title: str, verdict: str, approval_id: str, token: str) -> Card:
    """A button that sends a dialog with a verdict. Its data comes back with it, and nobody sees it."""
    data = {"placet": VERDICT, "verdict": verdict, "approval": approval_id, "token": token}
    style = "destructive" if verdict == "DENY" else "positive"
    return {"type": "Action.Submit", "title": title, "style": style, "data": data}


def leading(title: str, page: str) -> list[Card]:
    """A button that opens the page, where there is one."""
    return [{"type": "Action.OpenUrl", "title": title, "url": page}] if 0 < len(page) <= MAX_URL else []


def _drawn(line: Line) -> Card:
    runs = [{"type": "TextRun", "text": _kept(line.label), "weight": "Bolder"}] if line.label else []
    text = _kept(line.between + line.text)
    block = {"type": "RichTextBlock", "inlines": [*runs, *([{"type": "TextRun", "text": text}] if text else [])]}
    return {"type": "Container", "style": "emphasis", "items": [block]} if line.is_quote else block


def _kept(text: str) -> str:
    """The text as every renderer shows it: blanks are not merged, and a date in it is not written anew.

    Renderers replace `{{DATE(...)}}` and `{{TIME(...)}}` in any text. `visible` leaves no such blank and no such escape
    of others in a text, so what differs still looks different.
    """
    return text.replace("{{", "{\\u{7b}").replace("  ", " \u00a0")
