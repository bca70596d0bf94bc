"""`pdp inbox --web` in a pipe: the address, and what is said where there are no pages."""

from pathlib import Path

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.parts import Placet, placet


async def test_address_of_the_inbox_is_printed(pdp: Terminal, server: Placet) -> None:
    printed = await pdp("inbox", "--web", "--as", "bob")
    assert (printed.status, printed.out) == (0, f"{server.http}/inbox\n")


async def test_server_without_pages_says_so(pdp: Terminal, state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, http=None) as bare:
        printed = await pdp("inbox", "--web", "--as", "bob", PDP_ADDRESS=bare.address)
    assert (printed.status, printed.out) == (1, "")
    assert "this server has no pages" in printed.err
