"""How a notice looks in Teams: a card without markup and values, and buttons while it is open. Pure."""

from pdp.channels.notice import Message, Notice
from pdp.channels.notice_lines import fallback, lines, takes_clicks
from pdp.channels.teams.cards import ASK, CARD, NO, Card, card, leading, opening


def activity(message: Message) -> Card:
    """A message as the connector takes it. What a phone shows of it (`summary`) is a sentence of ours alone."""
    attached = {"contentType": CARD, "content": notice(message)}
    return {"type": "message", "summary": fallback(message), "attachments": [attached]}


def notice(message: Message) -> Card:
    """The card of a message."""
    buttons = list[Card]()
    if isinstance(message, Notice) and takes_clicks(message):
        buttons = [opening("Review", ASK, message.approval_id), opening("Deny", NO, message.approval_id)]
    return card(lines(message), [*buttons, *leading("Open", message.page)])
