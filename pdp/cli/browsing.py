"""`pdp inbox --web`: where the inbox is in a browser."""

import asyncio
import sys
import webbrowser

from pdp.cli import exit_code
from pdp.cli.session import Session, show_text


async def in_browser(session: Session) -> None:
    """Print the address of the inbox, and open it where a person is at the terminal."""
    from pdp.v1.info_pb2 import GetServerInfoRequest  # only commands need it

    async with session.client() as client:
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    if not info.inbox:
        exit_code.fail("this server has no pages, as nobody can log in; `pdp inbox` without --web needs none")
    show_text(info.inbox, sys.stdout)
    if sys.stdout.isatty():
        await asyncio.to_thread(webbrowser.open, info.inbox)
