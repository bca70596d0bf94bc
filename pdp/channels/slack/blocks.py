"""The blocks that we send: words of others stand in `rich_text` text elements, which know no markup. Pure.

Each text of others has passed `visible` before it comes here.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from pdp.channels.line import Line

Block: TypeAlias = dict[str, Any]
LINES_A_BLOCK = 20
"""Lines of one block of rich text."""
MAX_URL, MAX_TEXT = 3000, 3000
"""Characters of an address and of a text that Slack takes."""


def plain(text: str) -> Block:
    """A text of our own."""
    return {"type": "plain_text", "text": text, "emoji": False}


def drawn(one: Line) -> Block:
    """A line of what people read: its label in bold."""
    if one.is_quote:
        return {"type": "rich_text_quote", "elements": _runs(one.text)}
    runs = [{"type": "text", "text": one.label, "style": {"bold": True}}] if one.label else []
    return {"type": "rich_text_section", "elements": [*runs, *_runs(one.between + one.text)]}


def rich(block_id: str, lines: Sequence[Block]) -> list[Block]:
    """Lines in as many blocks as they need, whose ids begin with `block_id`."""
    parts = [lines[start : start + LINES_A_BLOCK] for start in range(0, len(lines), LINES_A_BLOCK)]
    return [
        {"type": "rich_text", "block_id": f"{block_id}.{index}", "elements": list(part)}
        for index, part in enumerate(parts)
    ]


def button(action_id: str, text: str, *, value: str = "", url: str = "", style: str = "") -> Block:
    """A button."""
    further = {"value": value, "url": url, "style": style}
    made: Block = {"type": "button", "action_id": action_id, "text": plain(text)}
    return made | {name: held for name, held in further.items() if held}


def actions(block_id: str, buttons: Sequence[Block]) -> list[Block]:
    """Buttons side by side; nothing where there are none."""
    return [{"type": "actions", "block_id": block_id, "elements": list(buttons)}] if buttons else []


def choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> Block:
    """One of several options, each with its value and its text. None is chosen."""
    shown = [{"text": plain(text), "value": value} for value, text in options]
    return _input(name, label, {"type": "radio_buttons", "action_id": name, "options": shown}, optional=False)


def field(name: str, label: str, most: int) -> Block:
    """A field for a text of at most `most` characters, which may stay empty."""
    element = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": most}
    return _input(name, label, element, optional=True)


def modal(title: str, shown: Sequence[Block], *, metadata: str = "", submit: str = "") -> Block:
    """A modal. `metadata` comes back with it, and nobody sees it."""
    made: Block = {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": list(shown)}
    if submit:
        made |= {"submit": plain(submit), "private_metadata": metadata, "callback_id": "placet.verdict"}
    return made


def _input(name: str, label: str, element: Block, *, optional: bool) -> Block:
    return {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}


def _runs(text: str) -> list[Block]:
    """The text in runs that Slack takes; of them only the last is short."""
    parts = [text[start : start + MAX_TEXT] for start in range(0, len(text), MAX_TEXT)]
    return [{"type": "text", "text": part} for part in parts]
