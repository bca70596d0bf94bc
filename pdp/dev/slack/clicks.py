"""What Slack tells an app of a person's click, as its documents have it."""

import copy
from collections.abc import Mapping
from typing import Any

from pdp.dev.slack.workspace import Message, Opened, User, Workspace


def of_button(space: Workspace, user: User, message: Message, action_id: str) -> dict[str, Any]:
    """A person clicks a button of a message."""
    found = [
        (block, one)
        for block in message.blocks
        for one in block.get("elements", ())
        if block["type"] == "actions" and one.get("action_id") == action_id
    ]
    [(block, button)] = found
    action = {**copy.deepcopy(button), "block_id": block["block_id"], "action_ts": message.ts}
    where = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
    return {
        "type": "block_actions",
        **_about(space, user),
        "container": {**where, "is_ephemeral": bool(message.only)},
        "channel": {"id": message.channel, "name": space.channels.get(message.channel, "directmessage")},
        "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": copy.deepcopy(message.blocks)},
        "response_url": "",
        "actions": [action],
    }


def of_modal(space: Workspace, user: User, opened: Opened, typed: Mapping[str, str]) -> dict[str, Any]:
    """A person submits a modal: what was typed or chosen, by the `action_id` of its field."""
    values: dict[str, Any] = {}
    for block in opened.view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            values[block["block_id"]] = {element["action_id"]: _entered(element, typed.get(element["action_id"], ""))}
    view = {**space.told(opened), "state": {"values": values}}
    return {"type": "view_submission", **_about(space, user), "view": view, "response_urls": []}


def missing(opened: Opened, typed: Mapping[str, str]) -> list[str]:
    """The labels of the fields that Slack asks for before it submits a modal."""
    asked = [block for block in opened.view["blocks"] if block["type"] == "input" and not block.get("optional")]
    return [block["label"]["text"] for block in asked if not typed.get(block["element"]["action_id"])]


def _entered(element: Mapping[str, Any], entered: str) -> dict[str, Any]:
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": entered[: element.get("max_length", len(entered))] or None}
    chosen = [option for option in element["options"] if option["value"] == entered]
    return {"type": element["type"], "selected_option": copy.deepcopy(chosen[0]) if chosen else None}


def _about(space: Workspace, user: User) -> dict[str, Any]:
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "team": {"id": space.team, "domain": "placet"},
        "api_app_id": space.app,
        "token": "of no use: signatures took its place",
        "trigger_id": space.trigger(user.id),
        "enterprise": None,
        "is_enterprise_install": False,
    }
