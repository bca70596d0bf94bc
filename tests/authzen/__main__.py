"""Checks a running server by the OpenID certification scenario of AuthZEN 1.0, all levels of it.

    python -m tests.authzen URL

Without a URL it is that of `pdp dev -- …`. `PDP_TOKEN` may ask as the users `alice` and `bob`, and the server decides
by the policy in `tests/cases/authzen/scenario` or by another with the same decisions. `make authzen` starts one like
that. Exit status 1 says that a level that the server offers failed. The foundation's own conformance suite is a service
of its own, and in no package registry; it asks the same.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

import aiohttp

from tests.authzen.obstacle import obstacle, unreachable
from tests.authzen.scenario import DISCOVERY, LEVELS, Result, checked


def main(arguments: Sequence[str]) -> int:
    urls = arguments or [os.environ.get("PDP_HTTP_URL", "")]
    if len(urls) != 1 or not urls[0]:
        sys.exit(__doc__)
    return asyncio.run(ask(urls[0].rstrip("/"), os.environ.get("PDP_TOKEN", "")))


async def ask(url: str, token: str) -> int:
    """Check, and say how the levels stand. Returns the exit status.

    What keeps all of it from working is one sentence, with which the program ends.
    """
    try:
        results = await checked(url, token)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        sys.exit(unreachable(url, error))
    if told := obstacle(results):
        sys.exit(told)
    return report(results)


def report(results: Sequence[Result]) -> int:
    """Say how each level stands. Returns the exit status."""
    for level in (*LEVELS, DISCOVERY):
        of_level = [result for result in results if result.level == level and result.is_offered]
        if not of_level:
            say(level, "not offered by this server")
            continue
        say(level, f"{sum(not result.wrong for result in of_level)} of {len(of_level)}")
        for result in of_level:
            if result.wrong:
                advice = f" (advisory: {result.advisory})" if result.advisory else ""
                say("", f"{result.name}: {result.wrong}{advice}")
    return int(any(result.fails for result in results))


def say(level: str, line: str) -> None:
    """To whoever runs this."""
    sys.stdout.write(f"{level:18} {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
