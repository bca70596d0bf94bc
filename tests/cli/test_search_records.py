"""What auditors see of searches: in lists, one by one, in exports and in verifications."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path

from tests.cli.terminal import Terminal, without_anchors
from tests.parts import Placet
from tests.searching import search
from tests.web import ALICE, BOT

BODY = {
    "subject": BOT,
    "action": {"name": "read"},
    "resource": {"type": "table"},
    "options": {"on_behalf_of": [ALICE], "candidates": ["customers", "orders"]},
}


async def test_log_with_searches_is_listed_shown_exported_and_verified(server: Placet, tmp_path: Path) -> None:
    name = (await search(server, "resource", BODY, by="report-bot")).json["context"]["search_id"]
    pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
    async with asyncio.timeout(30):
        while name not in (await pdp("audit", "list", "--as", "dana", "--kind", "search")).out:
            await asyncio.sleep(0.1)
    shown = await pdp("audit", "show", name, "--as", "dana")
    held = json.loads(b64decode(json.loads(shown.out)["payload"]))
    assert held["caller"]["identity"] == "agent:report-bot"
    assert [one["id"] for one in held["details"]["results"]] == ["customers", "orders"]
    assert (await pdp("audit", "export", "log.jsonl", "--as", "dana")).status == 0
    assert name in (tmp_path / "log.jsonl").read_text()
    assert (await pdp("audit", "verify", "log.jsonl", PDP_STATE=str(tmp_path / "state"))).status == 0
    own = without_anchors(server.state, tmp_path)
    assert (await pdp("audit", "verify", "--as", "dana", PDP_STATE=own)).status == 0
