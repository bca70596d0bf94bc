"""A reviewer sees where the tags of an approval's data come from."""

import asyncio
from pathlib import Path

from pdp.cli.origins import lines
from pdp.v1.approval_pb2 import ApprovalColumn, ApprovalLineage, TagOrigin
from pdp.v1.dataset_pb2 import DatasetName, LineageStep, TagAssertion
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


def test_columns_whose_tag_came_the_same_way_are_told_together() -> None:
    crm, lake = DatasetName(namespace="pg://crm", name="t"), DatasetName(namespace="s3://lake", name="w")
    said = TagAssertion(dataset=crm, column="mail", tag="pii", source="TAG_SOURCE_PERSON", by="user:bob")

    def came(column: str, job: str) -> TagOrigin:
        step = LineageStep(source=crm, source_column="mail", dataset=lake, column=column, job_name=job)
        return TagOrigin(column=column, tag="pii", said=[said], steps=[step])

    shown = ApprovalLineage(columns=[ApprovalColumn(name=name, tags=["pii"]) for name in "abcd"])
    told = lines([came("a", "j"), came("b", "j"), came("c", "k")], shown)
    assert [line for line in told if not line.startswith("    ")] == [
        "",
        "where the tags come from:",
        "  a, b: pii",
        "  c: pii",
        "  of others: pdp lineage why DATA --column NAME --tag TAG",
    ]
    assert [line.strip() for line in told if "->" in line] == [
        "pg://crm/t mail -> s3://lake/w  (job /j)",
        "pg://crm/t mail -> s3://lake/w c  (job /k)",
    ]
    assert lines([], shown) == []
