"""A reviewer sees where the tags of an approval's data come from."""

import asyncio
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.parts import Placet

CONTACTS = "postgres://crm:5432/crm.public.contacts"
EVENTS = Path("pdp/dev/demo/newsletter.jsonl").resolve()
ASK = [
    "authorize", "--as", "report-bot", "--subject", "agent:report-bot", "--on-behalf-of", "user:alice",
    "--action", "export", "--resource", "table:reports.newsletter", "--understands", "mask",
]  # fmt: skip


async def test_reviewer_sees_who_said_it_where_and_through_which_job(pdp: Terminal, server: Placet) -> None:
    tag = await pdp(
        "lineage", "tags", "add", CONTACTS, "--column", "email", "pii", "--reason", "addresses", "--as", "bob"
    )
    assert tag.status == 0, tag.said
    loaded = await pdp("lineage", "load", EVENTS, "--as", "etl")
    assert loaded.status == 0, loaded.said
    async with asyncio.timeout(30):
        while (
            "recipient" not in (await pdp("lineage", "show", "reports.newsletter", "--as", "dana", "-o", "table")).out
        ):
            pass
        asked = await pdp(*ASK, "--request-id", f"origins-{server.database}", "-o", "json")
    assert asked.status == 11, asked.said
    approval = asked.json["approval"]["approvalId"]
    shown = await pdp("approvals", "show", approval, "--as", "bob", "-o", "table")
    assert "where the tags come from:\n  recipient: pii\n" in shown.out, shown.said
    assert f"pii of {CONTACTS} column email: PERSON user:bob" in shown.out
    assert "addresses" in shown.out
    assert "job etl/newsletter; run 0190a5b2-0000-7000-8000-000000000001; by agent:etl" in shown.out
    assert "masking       this server does not mask\n  column recipient: pii\n" in shown.out
    (told,) = (await pdp("approvals", "show", approval, "--as", "bob", "-o", "json")).json["origins"]
    assert (told["column"], told["tag"], told["said"][0]["by"]) == ("recipient", "pii", "user:bob")
    assert told["steps"][0]["jobName"] == "newsletter"
    approved = await pdp("approvals", "approve", approval, "--as", "bob", "--yes", "-o", "json")
    assert "where the tags come from:" in approved.said, "what is approved is shown as a whole"
    requester = await pdp("approvals", "show", approval, "--as", "report-bot", "-o", "table")
    assert "where the tags come from" not in requester.out, "its read would be a question to the policy"
    assert "masking" not in requester.out
