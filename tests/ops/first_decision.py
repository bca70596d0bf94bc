"""A server on files that an operator made, and the first decision that somebody asks of it."""

import asyncio
import re
import sys
from pathlib import Path

from tests.cli.terminal import Terminal

FIRST = Path("ops/compose/first.py").absolute()
SECONDS = 60
ASK = ("authorize", "--subject", "agent:etl", "--action", "export", "--resource", "table:orders")


async def decided(folder: Path, token_of: Path, variables: dict[str, str], **serving: str) -> None:
    """Serve by `placet.toml`, ask for an allow and for health by `localhost`, and stop."""
    terminal = Terminal(folder, {"PDP_CONFIG": "placet.toml"})
    process = await terminal.start("serve", **serving)
    assert process.stderr is not None
    try:
        line = ""
        while "serving on " not in line:
            line = (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()
            assert line
        (port,) = re.findall(r"serving on [\d.]+:(\d+)", line)
        token = await terminal(FIRST, "token", token_of, command=[sys.executable])
        variables = {"PDP_ADDRESS": f"localhost:{port}", **variables}
        asked = await terminal(*ASK, "--token", token.out.strip(), **variables)
        assert (asked.status, asked.json["effect"]) == (0, "EFFECT_ALLOW"), asked.err
        assert (await terminal("healthcheck", **variables)).out == "SERVING\n"
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
