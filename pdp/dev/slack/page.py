"""Draws what one person of the workspace sees: messages, and the modal that is open. Without scripts.

Text of `rich_text` and `plain_text` is drawn as it is. That of `mrkdwn` is drawn with its markup, as Slack does, so
that a program that puts the words of others there is seen to do so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

from pdp.dev.slack.rules import TEXT
from pdp.dev.slack.workspace import Message, Opened, User, Workspace

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "Cache-Control": "no-store",
}
RELOAD_SECONDS = 3
"""Seconds after which a page loads again on which nothing can be typed."""
STYLE = """\
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif }
body { max-width: 48rem; margin: 1rem auto; padding: 0 1rem }
article, dialog { border: 1px solid GrayText; border-radius: 6px; padding: .7rem 1rem; margin: .7rem 0 }
dialog { position: static; max-width: none; border-width: 3px }
.rich { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 }
mark { background: orange; color: black }
small { color: GrayText }
textarea { width: 100%; box-sizing: border-box }
"""
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})
_LINK = re.compile(r"&lt;(https?://[^|&]+)\|([^&]*)&gt;|\[([^\]]*)\]\((https?://[^)]+)\)")
_CALL = re.compile(r"&lt;!(\w+)&gt;|&lt;@(\w+)&gt;")
_BOLD = re.compile(r"\*([^*]+)\*")


def of(space: Workspace, user: User, trouble: str = "") -> str:
    """The page of a person. `trouble` is what Slack says of the app in the open modal."""
    opened = space.open_view(user.id)
    reload = "" if opened and _asks(opened) else f'<meta http-equiv="refresh" content="{RELOAD_SECONDS}">'
    people = " ".join(f'<a href="/?as={one.id}">{escape(one.name)}</a>' for one in space.users.values())
    drawn = (
        _modal(opened, user, trouble) if opened else "".join(_message(space, one, user) for one in _read(space, user))
    )
    return f"""\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{reload}
<title>Slack of pdp dev - {escape(user.name)}</title><link rel="stylesheet" href="/style.css"></head>
<body><nav>You are <strong>{escape(user.name)}</strong>. Be {people}</nav>
<main><h1>Slack, as pdp dev has it</h1>
{drawn or "<p>No messages yet.</p>"}
</main></body></html>
"""


def blocks(shown: Sequence[Mapping[str, Any]], typed: Mapping[str, str] = NOTHING_TYPED) -> str:
    """Blocks in HTML, with what was typed and ticked before."""
    return "\n".join(_block(block, typed) for block in shown)


def _asks(opened: Opened) -> bool:
    return any(block["type"] == "input" for block in opened.view["blocks"])


def _read(space: Workspace, user: User) -> Iterator[Message]:
    return reversed(space.of_user(user.id))


def _message(space: Workspace, message: Message, user: User) -> str:
    place = f"#{space.channels[message.channel]}" if message.channel in space.channels else "to you alone"
    kind = " (only you see this)" if message.only else " (a reply)" if message.thread else ""
    edited = " (edited)" if message.edits else ""
    body = blocks(message.blocks) if message.blocks else f"<p>{_marked(message.text)}</p>"
    return f"""\
<article><small>{escape(place)}{kind}{edited}</small>
<form method="post" action="/act"><input type="hidden" name="as" value="{escape(user.id)}">
<input type="hidden" name="ts" value="{message.ts}">
{body}
</form></article>
"""


def _modal(opened: Opened, user: User, trouble: str) -> str:
    view = opened.view
    submit = f'<button class="submit">{escape(view["submit"]["text"])}</button>' if view.get("submit") else ""
    return f"""\
<dialog open><h2>{escape(view["title"]["text"])}</h2>
<form method="post" action="/act"><input type="hidden" name="as" value="{escape(user.id)}">
{blocks(view["blocks"], opened.typed)}
<p role="alert">{escape(trouble)}</p>
<p>{submit} <button name="close" value="yes" formnovalidate>Close</button></p>
</form></dialog>
"""


def _block(block: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    kind = block["type"]
    if kind == "divider":
        return "<hr>"
    if kind == "header":
        return f"<h3>{escape(block['text']['text'])}</h3>"
    if kind == "section":
        return f"<p>{_text(block['text'])}</p>"
    if kind == "context":
        return f"<p><small>{' '.join(map(_text, block['elements']))}</small></p>"
    if kind == "actions":
        return f"<p>{' '.join(map(_button, block['elements']))}</p>"
    return _rich(block) if kind == "rich_text" else _input(block, typed)


def _text(text: Mapping[str, Any]) -> str:
    return _marked(text["text"]) if text["type"] == "mrkdwn" else escape(text["text"])


def _marked(text: str) -> str:
    """Text with Slack's markup: links, calls to everybody, bold."""
    shown = _LINK.sub(
        lambda found: f"<mark>link to {found[1] or found[4]}: {found[2] or found[3]}</mark>", escape(text)
    )
    shown = _CALL.sub(lambda found: f"<mark>@{found[1] or found[2]}</mark>", shown)
    return _BOLD.sub(r"<strong>\1</strong>", shown)


def _rich(block: Mapping[str, Any]) -> str:
    return "".join(f'<div class="rich">{"".join(map(_run, part["elements"]))}</div>' for part in block["elements"])


def _run(run: Mapping[str, Any]) -> str:
    shown = escape(run["text"])
    return f"<strong>{shown}</strong>" if run.get("style", {}).get("bold") else shown


def _button(button: Mapping[str, Any]) -> str:
    label = escape(button["text"]["text"])
    if button.get("url"):
        return f'<a href="{escape(button["url"])}" rel="noopener" target="_blank">{label}</a>'
    return f'<button name="click" value="{escape(button["action_id"])}">{label}</button>'


def _input(block: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    element, label = block["element"], escape(block["label"]["text"])
    name, entered = escape(element["action_id"]), typed.get(element["action_id"], "")
    if element["type"] == "plain_text_input":
        most = element.get("max_length", TEXT)
        return f'<p><label>{label}<textarea name="{name}" maxlength="{most}">\n{escape(entered)}</textarea></label></p>'
    options = " ".join(_option(name, one, is_chosen=one["value"] == entered) for one in element["options"])
    return f"<fieldset><legend>{label}</legend>{options}</fieldset>"


def _option(name: str, option: Mapping[str, Any], *, is_chosen: bool) -> str:
    checked = " checked" if is_chosen else ""
    field = f'<input type="radio" name="{name}" value="{escape(option["value"])}" required{checked}>'
    return f"<label>{field} {escape(option['text']['text'])}</label>"
