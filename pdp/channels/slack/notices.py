"""How a notice looks in Slack: lines without markup, and buttons while it is open. Pure."""

from pdp.channels.notice import Message, Notice
from pdp.channels.notice_lines import lines, takes_clicks
from pdp.channels.slack.blocks import MAX_URL, Block, actions, button, drawn, rich

REVIEW, DENY, OPEN = "placet.review", "placet.deny", "placet.open"
"""The action ids of our buttons."""


def blocks(message: Message) -> list[Block]:
    """The blocks of a message."""
    name, where = ("notice", "actions") if isinstance(message, Notice) else ("note", "links")
    asked = list[Block]()
    if isinstance(message, Notice) and takes_clicks(message):
        asked += [button(REVIEW, "Review", value=message.approval_id, style="primary")]
        asked += [button(DENY, "Deny", value=message.approval_id, style="danger")]
    return [*rich(name, list(map(drawn, lines(message)))), *actions(where, [*asked, *_open(message.page)])]


def _open(page: str) -> list[Block]:
    return [button(OPEN, "Open", url=page)] if 0 < len(page) <= MAX_URL else []
