"""What Slack takes, at the limits of its documents and one beyond."""

from typing import Any

import pytest

from pdp.dev.slack import rules
from tests.slack import LINE, asking, button, modal, rich


def line(length: int, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": "x" * length}}


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([LINE] * 50, ""),
        ([LINE] * 51, "invalid_blocks"),
        ([line(3000)], ""),
        ([line(3001)], "invalid_blocks"),
        ([line(2599)] * 5, ""),
        ([line(2600)] * 5, "msg_blocks_too_long"),
        ([rich("x" * 3000)], ""),
        ([rich("")], "invalid_blocks"),
        ([button("a", "v" * 2000)], ""),
        ([button("a", "v" * 2001)], "invalid_blocks"),
        ([button("a" * 256)], "invalid_blocks"),
        ([button("a", style="blue")], "invalid_blocks"),
        ([{**LINE, "block_id": "one"}, {**LINE, "block_id": "one"}], "invalid_blocks"),
        ([{"type": "input"}], "invalid_blocks"),
        ([{"type": "image"}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "context", "elements": []}], "invalid_blocks"),
        ([{"type": "actions", "elements": [*button("a")["elements"], *button("a")["elements"]]}], "invalid_blocks"),
        ([{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": []}]}], "invalid_blocks"),
    ],
)
def test_message(blocks: list[dict[str, Any]], problem: str) -> None:
    assert rules.of_message("text", blocks) == problem


def test_text_of_a_message() -> None:
    assert rules.of_message("", []) == "no_text"
    assert rules.of_message("x" * 40_001, []) == "msg_too_long"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, ""),
        ({"private_metadata": "x" * 3000}, ""),
        ({"private_metadata": "x" * 3001}, "invalid_arguments"),
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "invalid_arguments"),
        ({"title": None}, "invalid_arguments"),
        ({"type": "home"}, "invalid_arguments"),
        ({"blocks": [LINE] * 100}, ""),
        ({"blocks": [LINE] * 101}, "invalid_blocks"),
        ({"blocks": None}, "invalid_arguments"),
    ],
)
def test_modal(changed: dict[str, Any], problem: str) -> None:
    assert rules.of_view({**modal(), **changed}) == problem


def test_modal_that_asks_has_a_button_to_send_it() -> None:
    view = asking()
    assert not rules.of_view(view)
    del view["submit"]
    assert rules.of_view(view) == "invalid_arguments"
