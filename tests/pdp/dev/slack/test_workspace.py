"""A workspace: triggers and modals end, messages have their pace."""

from typing import Any

import pytest

from pdp.dev.slack.workspace import Failed, Workspace
from tests.slack import Clock, modal, workspace


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def space(clock: Clock) -> Workspace:
    return workspace(clock)


def refused(space: Workspace, method: str, **given: Any) -> str:
    with pytest.raises(Failed) as failed:
        space.call(method, given)
    return failed.value.error


def test_trigger_opens_one_modal_within_three_seconds(space: Workspace, clock: Clock) -> None:
    trigger, late = space.trigger("UBOB"), space.trigger("UBOB")
    clock.seconds += 3
    opened = space.call("views.open", {"trigger_id": trigger, "view": modal()})["view"]
    assert space.open_view("UBOB") is space.views[opened["id"]]
    assert refused(space, "views.open", trigger_id=trigger, view=modal()) == "exchanged_trigger_id"
    clock.seconds += 0.1
    assert refused(space, "views.open", trigger_id=late, view=modal()) == "expired_trigger_id"
    assert refused(space, "views.open", trigger_id="1.2", view=modal()) == "invalid_trigger_id"


def test_modal_that_is_too_much_does_not_use_its_trigger(space: Workspace) -> None:
    trigger = space.trigger("UBOB")
    assert refused(space, "views.open", trigger_id=trigger, view=modal(private_metadata="x" * 3001))
    assert space.call("views.open", {"trigger_id": trigger, "view": modal()})


def test_modal_is_changed_by_its_hash_until_it_is_closed_or_a_day_old(space: Workspace, clock: Clock) -> None:
    view = space.call("views.open", {"trigger_id": space.trigger("UBOB"), "view": modal()})["view"]
    changed = space.call("views.update", {"view_id": view["id"], "hash": view["hash"], "view": modal()})["view"]
    assert refused(space, "views.update", view_id=view["id"], hash=view["hash"], view=modal()) == "hash_conflict"
    clock.seconds += 24 * 3600 + 1
    assert refused(space, "views.update", view_id=view["id"], hash=changed["hash"], view=modal()) == "not_found"


def test_one_message_a_second_and_channel(space: Workspace, clock: Clock) -> None:
    space.call("chat.postMessage", {"channel": "CSTEWARDS", "text": "one"})
    space.call("chat.postMessage", {"channel": "COTHER", "text": "another"})
    with pytest.raises(Failed) as failed:
        space.call("chat.postMessage", {"channel": "CSTEWARDS", "text": "two"})
    assert (failed.value.error, failed.value.retry_after) == ("ratelimited", 1)
    clock.seconds += 1
    assert space.call("chat.postMessage", {"channel": "CSTEWARDS", "text": "two"})["ok"]


def test_hundred_calls_of_a_method_a_minute(space: Workspace, clock: Clock) -> None:
    for _ in range(100):
        space.call("auth.test", {})
    assert refused(space, "auth.test") == "ratelimited"
    clock.seconds += 61
    assert space.call("auth.test", {})["team_id"] == space.team


def test_message_is_edited_where_it_stands(space: Workspace) -> None:
    posted = space.call("chat.postMessage", {"channel": "CSTEWARDS", "text": "one"})
    space.call("chat.update", {"channel": "CSTEWARDS", "ts": posted["ts"], "text": "two"})
    [message] = space.of_user("UBOB")
    assert (message.text, message.edits) == ("two", 1)
    assert refused(space, "chat.update", channel="COTHER", ts=posted["ts"], text="x") == "message_not_found"


def test_private_message_is_seen_by_one_person_and_never_edited(space: Workspace) -> None:
    told = space.call("chat.postEphemeral", {"channel": "CSTEWARDS", "user": "UBOB", "text": "psst"})
    assert [len(space.of_user(user)) for user in ("UBOB", "UCAROL")] == [1, 0]
    assert refused(space, "chat.update", channel="CSTEWARDS", ts=told["message_ts"], text="x") == "message_not_found"
    assert refused(space, "chat.postEphemeral", channel="CSTEWARDS", user="U?", text="x") == "user_not_in_channel"


def test_what_is_not_there(space: Workspace) -> None:
    space.refused["COTHER"] = "not_in_channel"
    assert refused(space, "chat.postMessage", channel="COTHER", text="x") == "not_in_channel"
    assert refused(space, "chat.postMessage", channel="C?", text="x") == "channel_not_found"
    assert refused(space, "chat.delete") == "unknown_method"
