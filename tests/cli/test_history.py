"""`pdp approvals history`, `take-back` and the timeline in `show`, on a terminal and in a pipe."""

from tests.cli.terminal import Terminal, is_harmless
from tests.cli.test_approvals import on_terminal, opened
from tests.parts import Placet


async def test_history_has_what_is_over_and_filters(pdp: Terminal, server: Placet) -> None:
    held, other = await opened(server), await opened(server)
    await server.review(held, "bob", "DENY", "no")
    denied = await pdp("approvals", "history", "--as", "bob", "--state", "denied", "--all", "-o", "jsonl")
    found = {line["approvalId"] for line in denied.lines}
    assert held.approval_id in found
    assert other.approval_id not in found
    table = await pdp("approvals", "history", "--as", "bob", "--page-size", "1", "-o", "table")
    header, row = table.out.splitlines()
    assert header.split() == ["APPROVAL", "STATE", "ACTION", "WHAT", "WHO", "DECIDED"]
    assert other.approval_id in row
    decided = await pdp("approvals", "history", "--as", "bob", "--state", "denied", "--page-size", "1", "-o", "table")
    assert "  denied by user:bob at 20" in decided.out.splitlines()[1]
    assert "there are more; --all lists them" in table.err
    mine = await pdp("approvals", "history", "--as", "alice", "--in-my-name", "--action", "export", "-o", "jsonl")
    assert {held.approval_id, other.approval_id} <= {line["approvalId"] for line in mine.lines}
    stranger = await pdp("approvals", "history", "--as", "report-bot")
    assert (stranger.status, stranger.out) == (77, "")
    nobody = await pdp("approvals", "history", "--as", "bob", "--caller", "agent:nobody", "-o", "json")
    assert (nobody.status, nobody.json) == (0, {})


async def test_denial_is_taken_back_in_a_pipe_once(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    await pdp("approvals", "deny", held.approval_id, "--as", "bob", "--reason", "a slip")
    others = await pdp("approvals", "take-back", held.approval_id, "--as", "carol")
    assert (others.status, others.out) == (77, "")
    assert "NOT_YOUR_DENIAL" in others.err
    done = await pdp("approvals", "take-back", held.approval_id, "--as", "bob", "-o", "json")
    assert done.status == 0
    assert done.json["state"] == "APPROVAL_STATE_DENIED"
    assert "deniedUntil" not in done.json
    assert "it stays DENIED; the same request may be asked anew" in done.err
    again = await pdp("approvals", "take-back", held.approval_id, "--as", "bob")
    assert (again.status, again.out) == (1, "")
    assert "DENIAL_TAKEN_BACK" in again.err


async def test_denial_is_taken_back_and_shown_on_a_terminal(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    await pdp("approvals", "deny", held.approval_id, "--as", "bob")
    shown, status = await on_terminal(pdp, b"", "approvals", "take-back", held.approval_id, "--as", "bob")
    assert status == 0
    assert "DENIED" in shown
    assert "may be asked anew" in shown
    shown, status = await on_terminal(pdp, b"", "approvals", "show", held.approval_id, "--as", "bob")
    assert status == 0
    story = shown[shown.index("what happened:") :].splitlines()
    assert [line.split("UTC  ")[1] for line in story[1:5]] == [
        "asked by agent:report-bot",
        "reviewed DENY by user:bob in API",
        "ended DENIED by user:bob",
        "denial taken back by user:bob",
    ]


async def test_show_tells_the_timeline_and_what_was_asked_before(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    await pdp("approvals", "cancel", held.approval_id, "--as", "report-bot")
    request = {"context": dict(held.request.context.items())}
    again = await opened(server, **request)
    shown = await pdp("approvals", "show", again.approval_id, "--as", "bob", "-o", "table")
    assert "\nwhat happened:\n" in shown.out
    assert f"asked before  {held.approval_id}\n" in shown.out
    assert f"page          {server.http}/inbox/approvals/{again.approval_id}\n" in shown.out
    assert is_harmless(shown.out)
    raw = (await pdp("approvals", "show", again.approval_id, "--as", "bob")).json
    assert raw["timeline"][0]["kind"] == "TIMELINE_KIND_ASKED"
    assert raw["approval"]["earlier"] == [held.approval_id]
