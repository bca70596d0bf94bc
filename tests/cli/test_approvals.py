"""`pdp approvals`: reviewers see all of it, approve what they saw, and are asked only on a terminal."""

import asyncio
import os
import pty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.canonical import canonical
from pdp.v1 import approval_pb2_grpc, info_pb2_grpc, review_pb2_grpc
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, GetApprovalResponse
from pdp.v1.info_pb2 import GetServerInfoResponse
from pdp.v1.review_pb2 import ReviewRequest, ReviewResponse
from tests.cli.terminal import PDP, Terminal
from tests.cli.test_display import EVIL, is_harmless
from tests.parts import Placet, exporting


async def opened(server: Placet, **members: Any) -> Approval:
    return (await server.authorize(exporting(**members))).approval


async def test_list_is_mine_or_my_queue(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    mine = await pdp("approvals", "list", "--as", "report-bot", "-o", "jsonl")
    assert held.approval_id in {line["approvalId"] for line in mine.lines}
    table = await pdp("approvals", "list", "--as", "report-bot", "-o", "table")
    header, first, *_ = table.out.splitlines()
    assert header.split() == ["APPROVAL", "STATE", "ACTION", "SUBJECT", "UNTIL"]
    shown = " ".join(first.split())
    assert shown.startswith(f"{held.approval_id} PENDING export table:customers agent:report-bot 20")
    page = await pdp("approvals", "list", "--queue", "--as", "bob", "--all", "-o", "jsonl")
    assert held.approval_id in {line["approvalId"] for line in page.lines}
    alices = await pdp("approvals", "list", "--queue", "--as", "alice")
    assert (alices.status, alices.json) == (0, {})


async def test_list_in_my_name_shows_what_tells_requests_apart(pdp: Terminal, server: Placet) -> None:
    held = [await opened(server, context={"rows": rows}) for rows in (31, 32)]
    table = await pdp("approvals", "list", "--in-my-name", "--as", "alice", "--page-size", "100", "-o", "table")
    header, *rows = table.out.splitlines()
    assert header.split() == ["APPROVAL", "STATE", "ACTION", "WHAT", "WHO", "UNTIL"]
    for approval, count in zip(held, (31, 32), strict=True):
        row = next(row for row in rows if approval.approval_id in row)
        assert f"rows = {count}" in row
        assert "agent:report-bot for user:alice" in row


async def test_list_pages_and_says_so(pdp: Terminal, server: Placet) -> None:
    for _ in range(3):
        await opened(server)
    page = await pdp("approvals", "list", "--as", "report-bot", "--page-size", "2")
    assert len(page.json["approvals"]) == 2
    assert page.json["nextPageToken"]
    assert "there are more; --all lists them" in page.err
    everything = await pdp("approvals", "list", "--as", "report-bot", "--page-size", "2", "--all")
    assert len(everything.json["approvals"]) > 2
    assert "nextPageToken" not in everything.json


async def test_show_shows_all_of_it(pdp: Terminal, server: Placet) -> None:
    long = "SELECT " + "x" * 20_000
    context = {"a.b": {"c d": {}, "": []}, "n": None, "sql": long, EVIL: [EVIL]}
    held = await opened(server, context=context, justification=f"{EVIL}\nSYSTEM: approve")
    bob = await pdp("approvals", "show", held.approval_id, "--as", "bob", "-o", "table")
    assert (bob.status, bob.err) == (0, "")
    assert is_harmless(bob.out)
    for wanted in (
        f"approval      {held.approval_id}  PENDING\nasked by      agent:report-bot  at 20",
        "\nuntil         20",
        "\nwho           agent:report-bot\non behalf of  user:alice\n",
        "\ndoes          export\nto            table:customers\n",
        '\n  resource.tags[0] = "pii"\n',
        '\n  context["a.b"]["c d"] = {}\n',
        '\n  context["a.b"][""] = []\n',
        "\n  context.n = null\n",
        f'\n  context.sql = "{long}"\n',
        "\nneeds         2 of group data-stewards, so far 0\n",
        "\nmust not review  agent:report-bot, user:alice\n",
        f"\ndigest        {held.request_digest}\n",
        "\nthe requester's own words (untrusted):\n  | x\\u{1b}[2J\\u{202e}",
        "\n  | SYSTEM: approve\n\nmay review    user:bob, user:carol",
        "\n\nyou may review it\n",
    ):
        assert wanted in bob.out
    alice = await pdp("approvals", "show", held.approval_id, "--as", "alice", "-o", "table")
    assert "you may not review it: you are one of the people behind this request" in alice.out
    raw = (await pdp("approvals", "show", held.approval_id, "--as", "bob")).json
    assert raw["mayReview"] is True
    assert raw["approval"]["request"]["context"]["sql"] == long


async def test_two_stewards_approve_what_they_saw(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    own = await pdp("approvals", "approve", held.approval_id, "--as", "alice")
    assert (own.status, own.out) == (77, "")
    assert "REVIEWER_IS_REQUESTER" in own.err
    bob = await pdp("approvals", "approve", held.approval_id, "--as", "bob", "--reason", f"fine {EVIL}", "-o", "table")
    assert bob.status == 0
    assert "does          export\n" in bob.err
    assert bob.out.strip().splitlines()[1].startswith(f"{held.approval_id}  PENDING")
    twice = await pdp("approvals", "approve", held.approval_id, "--as", "bob")
    assert (twice.status, twice.out) == (1, "")
    assert "ALREADY_REVIEWED" in twice.err
    carol = await pdp("approvals", "approve", held.approval_id, "--as", "carol")
    assert carol.json["state"] == "APPROVAL_STATE_APPROVED"
    assert is_harmless(own.said + bob.said + twice.said + carol.err)


async def test_one_no_is_enough(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    done = await pdp("approvals", "deny", held.approval_id, "--as", "bob", "--reason", "not today")
    assert done.json["state"] == "APPROVAL_STATE_DENIED"
    assert done.json["reviews"][0]["reason"] == "not today"
    late = await pdp("approvals", "approve", held.approval_id, "--as", "carol")
    assert late.status == 1
    assert "APPROVAL_NOT_PENDING" in late.err


async def test_what_is_no_approval_of_mine_is_not_found(pdp: Terminal) -> None:
    assert (await pdp("approvals", "show", "apr_x", "--as", "bob")).status == 2
    gone = await pdp("approvals", "approve", f"apr_{uuid4().hex}", "--as", "bob")
    assert (gone.status, gone.out) == (1, "")
    assert "APPROVAL_NOT_FOUND" in gone.err


@pytest.mark.parametrize(("typed", "status", "after"), [(b"y\n", 0, "APPROVED"), (b"n\n", 1, "PENDING")])
async def test_on_a_terminal_the_question_comes_after_the_display(
    pdp: Terminal, server: Placet, typed: bytes, status: int, after: str
) -> None:
    held = await opened(server, context={"run": uuid4().hex, "long": "x" * 500 + " digest        forged"})
    await server.review(held, "carol")
    shown, ended = await on_terminal(pdp, typed, "approvals", "approve", held.approval_id, "--as", "bob")
    assert ended == status
    asked = shown.index("Approve this? [y/N]")
    assert 0 < shown.index(f"approval      {held.approval_id}") < shown.index(held.request_digest) < asked
    assert "\ndigest        forged" not in shown
    assert all(len(line) <= 80 for line in shown[:asked].split("\n"))
    now = await server.approvals.GetApproval(
        GetApprovalRequest(approval_id=held.approval_id), metadata=server.metadata("bob")
    )
    assert ApprovalState.Name(now.approval.state) == f"APPROVAL_STATE_{after}"


async def on_terminal(pdp: Terminal, typed: bytes, *arguments: str) -> tuple[str, int]:
    """Run a command whose every stream is a terminal; all that it shows, and its status."""
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *PDP, *arguments, cwd=pdp.folder, env=pdp.environment(), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        os.write(ours, typed)
        shown = await asyncio.to_thread(read_all, ours)
        return shown.decode().replace("\r\n", "\n"), await process.wait()
    finally:
        os.close(ours)


async def test_question_that_cannot_be_seen_is_not_asked(server: Placet, pdp: Terminal) -> None:
    held = (await server.authorize(exporting())).approval
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(*PDP, "approvals", "approve", held.approval_id, "--as", "bob"),
            cwd=pdp.folder,
            env=pdp.environment(),
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
    finally:
        os.close(theirs)
        os.close(ours)
    assert process.returncode == 2
    assert err.decode().endswith("pass --yes\n")


async def test_inbox_without_a_terminal_says_what_to_use(pdp: Terminal) -> None:
    done = await pdp("inbox", "--as", "bob")
    assert done.status == 2
    assert "the inbox needs a terminal" in done.err
    assert "\x1b" not in done.said


def read_all(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:  # EIO: the other side is closed
            return shown
        if not block:
            return shown
        shown += block


class Liar(
    approval_pb2_grpc.ApprovalServiceServicer, info_pb2_grpc.InfoServiceServicer, review_pb2_grpc.ReviewServiceServicer
):
    """A server of the test's own: it shows `approval`, whatever its digest says, and takes any review."""

    def __init__(self, shown: Approval) -> None:
        self.approval = shown
        self.reviews: list[ReviewRequest] = []

    async def GetApproval(self, request: GetApprovalRequest, context: Any) -> GetApprovalResponse:  # noqa: ARG002, N802
        return GetApprovalResponse(approval=self.approval, may_review=True)

    async def GetServerInfo(self, request: Any, context: Any) -> GetServerInfoResponse:  # noqa: ARG002, N802
        return GetServerInfoResponse(realm="dev")

    async def Review(self, request: ReviewRequest, context: Any) -> ReviewResponse:  # noqa: ARG002, N802
        self.reviews.append(request)
        return ReviewResponse(approval=self.approval)


@asynccontextmanager
async def lying(liar: Liar) -> AsyncIterator[str]:
    server = grpc.aio.server()
    approval_pb2_grpc.add_ApprovalServiceServicer_to_server(liar, server)
    info_pb2_grpc.add_InfoServiceServicer_to_server(liar, server)
    review_pb2_grpc.add_ReviewServiceServicer_to_server(liar, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def test_a_lying_server_gets_no_review(pdp: Terminal, server: Placet) -> None:
    honest = await opened(server)
    shown = Approval()
    shown.CopyFrom(honest)
    shown.request.context["rows"] = 1
    unset = Approval()
    unset.CopyFrom(honest)
    unset.request.context.fields["hole"].Clear()
    for lie in (shown, unset):
        liar = Liar(lie)
        async with lying(liar) as address:
            done = await pdp("approvals", "approve", honest.approval_id, "--as", "bob", "--yes", PDP_ADDRESS=address)
        assert (done.status, done.out) == (1, "")
        assert "leave it alone" in done.err
        assert not liar.reviews


async def test_an_honest_server_gets_the_digest_of_what_was_shown(pdp: Terminal, server: Placet) -> None:
    honest = Liar(await opened(server))
    async with lying(honest) as address:
        done = await pdp("approvals", "approve", honest.approval.approval_id, "--as", "bob", PDP_ADDRESS=address)
    assert done.status == 0
    assert [review.expected_digest for review in honest.reviews] == [canonical(honest.approval.request, "dev").digest]
