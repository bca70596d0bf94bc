"""`pdp serve` with Slack elsewhere, which no setting can say: `python -m tests.serving CONFIG SLACK`."""

import sys
from pathlib import Path

from pdp.cli.serve import run_until_stopped, stop_signal, stopped
from pdp.config import load
from pdp.environment import Environment
from pdp.say import say
from pdp.server.outside import Outside
from pdp.server.preflight import refuse_unsafe
from pdp.server.running import running


async def serve(path: Path, slack: str) -> None:
    stop, config = stop_signal(), load(path, {})
    refuse_unsafe(config)
    async with running(config, Environment.read().tool_cache, say, outside=Outside(slack_host=slack)) as server:
        say(f"serving on {server.address}, policy {server.policy_revision[:12]}, OPA {server.opa_version}")
        await stopped(stop, server)


if __name__ == "__main__":
    run_until_stopped(serve(Path(sys.argv[1]), sys.argv[2]))
