"""What Slack takes in a message or a modal, by its documents: kinds of blocks, lengths and numbers. Pure.

Each check gives the name of the error that Slack answers with, or nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
"""Blocks of a message, and of a modal."""
ALL_CHARACTERS = 13_000
"""Characters from which on the blocks of one message or modal are `msg_blocks_too_long`. Not in Slack's documents."""
TEXT, HEADER, LABEL, ID, VALUE, ADDRESS, METADATA, TITLE, BUTTON = 3000, 150, 2000, 255, 2000, 3000, 3000, 24, 75
"""Characters of a text, a header, an input's label, an id, a value, a URL, private metadata, a title, a button."""
FALLBACK = 40_000
"""Characters of a message's `text`."""
ACTIONS, OPTIONS = 25, 10
"""Elements of an actions block, and options of radio buttons."""
_STYLES = {"primary", "danger"}
_IN_MESSAGES = {"section", "rich_text", "actions", "context", "header", "divider"}
_IN_RICH_TEXT = {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"}
Block = Mapping[str, Any]


def of_message(text: str, blocks: Sequence[Block]) -> str:
    """What is wrong with a message."""
    if not text and not blocks:
        return "no_text"
    if len(text) > FALLBACK:
        return "msg_too_long"
    return _of_blocks(blocks, MESSAGE_BLOCKS, _IN_MESSAGES)


def of_view(view: Mapping[str, Any]) -> str:
    """What is wrong with a modal."""
    blocks = view.get("blocks")
    texts = [view.get(name) for name in ("title", "submit", "close")]
    asks = any(block.get("type") == "input" for block in blocks or ())
    if (
        view.get("type") != "modal"
        or not isinstance(blocks, list)
        or texts[0] is None
        or any(one is not None and not _is_plain(one, TITLE) for one in texts)
        or len(view.get("private_metadata", "")) > METADATA
        or len(view.get("callback_id", "")) > ID
        or (asks and texts[1] is None)
    ):
        return "invalid_arguments"
    return _of_blocks(blocks, VIEW_BLOCKS, {*_IN_MESSAGES, "input"})


def texts(part: Any) -> Iterator[str]:
    """Every text in a part of a message or modal."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)


def _of_blocks(blocks: Sequence[Block], most: int, kinds: set[str]) -> str:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(blocks) > most or len(set(ids)) < len(ids) or any(len(one) > ID for one in ids):
        return "invalid_blocks"
    if not all(block.get("type") in kinds and _CHECKS[block["type"]](block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(map(len, texts(list(blocks)))) >= ALL_CHARACTERS else ""


def _is_text(text: Any, most: int) -> bool:
    return (
        isinstance(text, Mapping)
        and text.get("type") in {"plain_text", "mrkdwn"}
        and isinstance(text.get("text"), str)
        and 1 <= len(text["text"]) <= most
    )


def _is_plain(text: Any, most: int) -> bool:
    return _is_text(text, most) and text["type"] == "plain_text"


def _is_section(block: Block) -> bool:
    return _is_text(block.get("text"), TEXT) or bool(block.get("fields"))


def _is_header(block: Block) -> bool:
    return _is_plain(block.get("text"), HEADER)


def _is_context(block: Block) -> bool:
    elements = block.get("elements")
    return isinstance(elements, list) and 1 <= len(elements) <= OPTIONS and all(_is_text(one, TEXT) for one in elements)


def _is_actions(block: Block) -> bool:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= ACTIONS:
        return False
    names = [one.get("action_id") for one in elements]
    return len(set(names)) == len(names) and all(map(_is_button, elements))


def _is_button(element: Block) -> bool:
    return (
        element.get("type") == "button"
        and _is_plain(element.get("text"), BUTTON)
        and len(element.get("action_id", "")) <= ID
        and len(element.get("value", "")) <= VALUE
        and len(element.get("url", "")) <= ADDRESS
        and element.get("style", "primary") in _STYLES
    )


def _is_input(block: Block) -> bool:
    element = block.get("element", {})
    if not _is_plain(block.get("label"), LABEL):
        return False
    if element.get("type") == "plain_text_input":
        return int(element.get("max_length", TEXT)) <= TEXT
    options = element.get("options")
    return (
        element.get("type") == "radio_buttons"
        and isinstance(options, list)
        and 1 <= len(options) <= OPTIONS
        and all(_is_text(one.get("text"), BUTTON) and 1 <= len(one["value"]) <= ID for one in options)
    )


def _is_rich(block: Block) -> bool:
    elements = block.get("elements")
    return isinstance(elements, list) and bool(elements) and all(map(_is_rich_part, elements))


def _is_rich_part(part: Block) -> bool:
    if part.get("type") not in _IN_RICH_TEXT or not part.get("elements"):
        return False
    if part["type"] == "rich_text_list":
        return all(map(_is_rich_part, part["elements"]))
    return all(one.get("type") == "text" and 1 <= len(one.get("text", "")) <= TEXT for one in part["elements"])


_CHECKS = {
    "section": _is_section,
    "rich_text": _is_rich,
    "actions": _is_actions,
    "context": _is_context,
    "header": _is_header,
    "divider": lambda _: True,
    "input": _is_input,
}
