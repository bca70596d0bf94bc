"""`pdp audit`: the log is read and taken away."""

import json

from tests.cli.terminal import Terminal
from tests.parts import Placet, asking


async def test_list_filters_pages_and_names_records(pdp: Terminal, server: Placet) -> None:
    await server.authorize(asking("drop"))
    await server.authorize(asking("drop"))
    page = await pdp("audit", "list", "--as", "dana", "--effect", "deny", "--kind", "decision", "--page-size", "1")
    (record,) = page.json["records"]
    assert (record["kind"], record["effect"], record["rules"]) == ("decision", "EFFECT_DENY", ["agents.destructive"])
    assert "there are more; --all lists them" in page.err
    shown = await pdp("audit", "show", record["recordId"], "--as", "dana", "-o", "table")
    stored = json.loads(shown.out)
    assert stored["record"]["id"] == record["recordId"]
    assert stored["payload"]["request"]["action"]["name"] == "drop"
    raw = await pdp("audit", "show", record["recordId"].replace("rec_", "dec_"), "--as", "dana")
    assert raw.json["summary"]["recordId"] == record["recordId"]
    table = await pdp("audit", "list", "--as", "dana", "-o", "table")
    assert table.out.splitlines()[0].split() == ["RECORD", "KIND", "AT", "EFFECT", "RULES", "APPROVAL"]
    wrong = await pdp("audit", "list", "--as", "dana", "--effect", "maybe")
    assert (wrong.status, wrong.err) == (2, "--effect must be ALLOW, DENY or NEEDS_APPROVAL\n")


async def test_export_is_whole_or_not_there(pdp: Terminal) -> None:
    refused = await pdp("audit", "export", "log.jsonl", "--as", "bob")
    assert refused.status == 77
    assert not list(pdp.folder.iterdir())
    nowhere = await pdp("audit", "export", "no/such/folder", "--as", "dana")
    assert (nowhere.status, nowhere.out) == (2, "")
    assert nowhere.err.startswith("cannot write no/such/folder: No such file")
    to_output = await pdp("audit", "export", "-", "--as", "dana")
    assert json.loads(to_output.out.splitlines()[0])["realm"] == "dev"
