"""`pdp dev` speaks HTTP, and says where."""

import asyncio
import json
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_dev import PDP_IN_SHELL, SECONDS, in_foreground

CURL = """curl -s %s/access/v1/evaluation -H "Authorization: Bearer $(%s token --as report-bot)" \
-H 'Content-Type: application/json' -d '{"subject":{"type":"agent","id":"report-bot"},"action":{"name":"read"},\
"resource":{"type":"table","id":"customers"}}'"""
"""The first line of the issue that asked for this face."""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, {"TMPDIR": str(tmp_path)})


async def test_curl_asks_where_it_says_and_a_taken_port_is_no_obstacle(terminal: Terminal) -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 4780))
            taken.listen()
            is_ours = True
        except OSError:
            is_ours = False  # another program listens there, perhaps until a moment from now
        state = terminal.folder / "state"
        async with in_foreground(terminal, "--state", state, "--listen", "127.0.0.1:0") as (dev, said):
            (url,) = re.findall(r"^AuthZEN over HTTP is on (http://localhost:\d+)\.$", said(), re.MULTILINE)
            assert re.search(rf"^inbox  {url}/inbox\b", said(), re.MULTILINE)
            assert not (is_ours and url.endswith(":4780"))
            moved = "another program listens on port 4780, so HTTP and the inbox have another one" in said()
            assert moved == (not url.endswith(":4780"))
            done = await terminal("-c", CURL % (url, PDP_IN_SHELL), command=["sh"], PDP_STATE=str(state))
            answer = json.loads(done.out)
            assert answer["decision"] is True, done.said
            assert answer["context"]["reason"] == "allowed"
            dev.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(dev.wait(), SECONDS) == 0


async def test_a_command_gets_its_address(terminal: Terminal) -> None:
    done = await terminal("dev", "--", "sh", "-c", CURL % ("$PDP_HTTP_URL", PDP_IN_SHELL))
    assert done.status == 0, done.err
    assert json.loads(done.out)["decision"] is True
