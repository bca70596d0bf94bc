"""Where a client works: in one event loop and one process, and elsewhere one clear error."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from pdp.client import Client
from pdp.dev import identity
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.parts import Placet
from tests.proxy import proxy

FORKED = """
import asyncio, os, sys
from pdp.client import Client
address, token, when = sys.argv[1:]

async def ask(client):
    decision = await client.authorize("agent:report-bot", "read", "table:customers", on_behalf_of=["user:alice"])
    return decision.error or "allowed" if decision.allowed else decision.why

def asked(client):
    try:
        return asyncio.run(ask(client))
    except RuntimeError as error:
        return str(error)

client = Client(address, token)
if when == "after":
    print("parent:", asked(client), flush=True)
child = os.fork()
if child == 0:
    print("same:", asked(client), flush=True)
    print("new:", asked(Client(address, token)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


async def forked(server: Placet, when: str) -> list[str]:
    command = [sys.executable, "-c", FORKED, server.address, identity.token(server.state, "report-bot"), when]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[3]
    )
    return done.stdout.splitlines()


async def test_a_client_made_before_a_fork_works_behind_it(server: Placet) -> None:
    same, new = await forked(server, "before")
    assert same == "same: allowed"
    assert new == "new: allowed"


async def test_behind_a_fork_of_a_process_that_had_used_one_there_is_one_clear_error(server: Placet) -> None:
    parent, same, new = await forked(server, "after")
    assert parent == "parent: allowed"
    for said in (same, new):
        assert said.partition(": ")[2].startswith("this process was forked from one that had used a Client")
        assert "spawn" in said


def test_in_a_second_event_loop_there_is_one_clear_error() -> None:
    client = Client("127.0.0.1:1", "t", timeout=0.5)

    async def ask() -> str:
        return (await client.authorize("a:b", "c", "d:e")).why

    assert asyncio.run(ask()).startswith("UNAVAILABLE: ")
    with pytest.raises(RuntimeError, match="a Client belongs to the event loop that used it first; make one in each"):
        asyncio.run(ask())
    asyncio.run(client.close())  # leaves the other loop's alone


def test_outside_of_a_loop_there_is_one_clear_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Client("127.0.0.1:1", "t").channel.get_state()


async def test_a_connection_may_take_seconds(server: Placet) -> None:
    token = identity.token(server.state, "report-bot")
    async with proxy(server.address) as far:
        far.delay_seconds = 1.5
        async with Client(far.address, token, timeout=20) as client:
            await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        assert far.connections == 1


def test_keepalive_is_a_time() -> None:
    with pytest.raises(ValueError, match="keepalive must be more than 0"):
        Client("127.0.0.1:1", "t", keepalive=0)
