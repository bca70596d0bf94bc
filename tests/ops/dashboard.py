"""The dashboard of Grafana: whether its form is Grafana's, and whether each of its questions finds series.

A Prometheus scrapes a server that decides, as the one of `ops/compose.yaml` does, and is asked what the panels ask.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from pdp.client import Client
from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess, _free_port
from tests.ops.deployment import Deployment
from tests.ops.tools import run, say, tool

BOARD = Path("ops/grafana/placet.json")
ALERTS = Path("ops/alerts.yaml")
PDP = (sys.executable, "-m", "pdp")
SECONDS = 60
"""Seconds in which each question has to find something: two scrapes, and the server's own look at MongoDB."""
REVIEWED = """package policy

# METADATA
# title: People look at exports
needs_approval contains {"rule": "exports", "reason": "an export", "reviewers": {"groups": ["a"]}} if {
	input.action.name == "export"
}

# METADATA
# title: Tables stay
deny contains {"rule": "d", "reason": "no"} if input.action.name == "drop"
"""


def tried() -> None:
    """Check the form, and ask a Prometheus what the panels ask."""
    run(tool("dashboard-types"), BOARD)
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(asked(Path(name)))


def questions() -> Iterator[tuple[str, str]]:
    """The title of each panel and a question of it, the variables replaced as Grafana does it."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "20s")


def conditions() -> Iterator[tuple[str, str]]:
    """The name of each alert and its condition."""
    for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]


async def asked(folder: Path) -> None:
    cache = str(Environment.read().tool_cache)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(Path.cwd()), "PDP_TOOL_CACHE": cache}
    (folder / "own").mkdir()
    own, operations = Deployment(folder / "own", environment), f"127.0.0.1:{_free_port()}"
    async with MongodProcess(toolcache.mongod(), folder / "mongodb", say=lambda _: None) as mongod:
        own.lay(mongod.uri, f'[operations]\nlisten = "{operations}"\n')
        (folder / "own" / "policy" / "reviewed.rego").write_text(REVIEWED)
        async with own.served(*PDP) as address, prometheus(folder, operations) as url:
            empty = await unanswered(url, address, own.token())
    if empty:
        sys.exit("\n".join(f"{title}: {query} finds nothing" for title, query in empty))
    say(f"dashboard: each of {len([*questions()])} questions finds series, and {len([*conditions()])} alerts are read")


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[str]:
    """The URL of one that scrapes `target` each second, with the alerts."""
    listen, file = f"127.0.0.1:{_free_port()}", folder / "prometheus.yaml"
    scraping = yaml.safe_load(Path("ops/compose/prometheus.yaml").read_text())
    scraping["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    scraping["rule_files"] = [str(ALERTS.absolute())]
    scraping["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    file.write_text(json.dumps(scraping))
    options = (f"--config.file={file}", f"--storage.tsdb.path={folder / 'series'}", f"--web.listen-address={listen}")
    with (folder / "prometheus.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(tool("prometheus"), *options, stderr=log, stdout=log)
    try:
        yield f"http://{listen}/api/v1"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def unanswered(url: str, address: str, token: str) -> list[tuple[str, str]]:
    """The questions that find nothing while decisions are made; ends for one that Prometheus does not understand."""
    left = [*questions()]
    async with Client(address, token) as pdp, aiohttp.ClientSession() as session, asyncio.timeout(SECONDS * 2):
        for _ in range(SECONDS):
            await decide(pdp)
            left = [one for one in left if not await found(session, url, one[1])]
            if not left:
                break
            await asyncio.sleep(1)
        for name, query in conditions():
            if await found(session, url, query):
                sys.exit(f"the alert {name} fires on a server that is well: {query}")
    return left


async def decide(pdp: Client) -> None:
    """One decision of each kind."""
    for action in ("read", "drop", "export"):
        await pdp.authorize("agent:etl", action, f"table:{os.urandom(2).hex()}")


async def found(session: aiohttp.ClientSession, url: str, query: str) -> list[Any]:
    """The series of a question that have a number; none while Prometheus starts."""
    try:
        async with session.get(f"{url}/query", params={"query": query}) as answer:
            told = await answer.json()
    except (aiohttp.ClientConnectorError, aiohttp.ContentTypeError):
        return []
    if told.get("status") != "success":
        sys.exit(f"Prometheus does not understand {query}: {told}")
    return [one for one in told["data"]["result"] if one["value"][1] != "NaN"]
