"""What the address for probes and scrapes answers, and what a text of metrics says."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from pdp.server.operations import UNIX


@dataclass(frozen=True)
class Seen:
    """An answer over HTTP."""

    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


async def seen(address: str, path: str, method: str = "GET") -> Seen:
    """The answer of an address, which may be that of a socket."""
    is_socket = address.startswith(UNIX)
    connector = aiohttp.UnixConnector(address.removeprefix(UNIX)) if is_socket else aiohttp.TCPConnector()
    url = f"http://{'socket' if is_socket else address}{path}"
    async with aiohttp.ClientSession(connector=connector) as session, session.request(method, url) as answer:
        return Seen(answer.status, await answer.text(), dict(answer.headers))


def samples(text: str) -> dict[str, float]:
    """Each series of a text, as it is written there, and its value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def scraped(address: str, *, after_seconds: float = 1.05) -> dict[str, float]:
    """The metrics of now: a text is given again for a second."""
    await asyncio.sleep(after_seconds)
    return samples((await seen(address, "/metrics")).text)
