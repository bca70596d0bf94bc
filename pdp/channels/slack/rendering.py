"""What one person is shown of an approval in a modal: all of it, or why not and the way to the page. Pure."""

import json

from pdp.channels.line import Line
from pdp.channels.offer import MAX_REASON, Offer
from pdp.channels.slack.blocks import MAX_URL, Block, actions, button, choice, drawn, field, modal, rich
from pdp.channels.slack.notices import OPEN
from pdp.channels.view_lines import brief, head, whole
from pdp.view.shown import Shown
from pdp.visible import visible

TITLE = "Review a request"
ASKED = "verdict"
"""The field for the verdict."""


def view(shown: Shown, offered: Offer, identity: str, token: str, *, note: str = "", only_no: bool = False) -> Block:
    """The modal of a person. `note` is why it is shown once more; `only_no` offers a denial alone."""
    lines = whole(shown) if offered.whole else brief(shown)
    why = [Line("You cannot approve here", visible(offered.why))] if offered.why else []
    page = shown.page.text if shown.page and len(shown.page.text) <= MAX_URL else ""
    links = [button(OPEN, "Open the page", url=page)] if page else []
    parts = {"head": head(identity, note), "request": lines, "why": why}
    body = [block for name, part in parts.items() for block in rich(name, list(map(drawn, part)))]
    body += actions("links", links)
    verdicts = [(verdict, verdict.capitalize()) for verdict in offered.verdicts(only_no=only_no)]
    if not verdicts:
        return modal(TITLE, body)
    asked = [choice(ASKED, "Your verdict", verdicts), field("reason", "Reason", MAX_REASON)]
    metadata = json.dumps({"approval": shown.approval_id.text, "token": token})
    return modal(TITLE, [*body, *asked], metadata=metadata, submit="Send")


def sentence(text: str, page: str = "") -> Block:
    """A modal that says something and asks nothing."""
    links = [button(OPEN, "Open the page", url=page)] if 0 < len(page) <= MAX_URL else []
    return modal(TITLE, [*rich("head", [drawn(Line("", visible(text)))]), *actions("links", links)])
