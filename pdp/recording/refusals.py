"""Writes into the log what was refused because it was too much: one record for each second in which there was any."""

import asyncio
from contextlib import suppress

import orjson

from pdp.audit.record import Entry, Kind, entry
from pdp.errors import PdpError
from pdp.recording.writer import Writer
from pdp.shedding import Shed, Shedding

SECONDS = 1.0
"""Seconds that one record sums up."""


def summary(shed: Shed) -> Entry:
    """The record of a sum. Who was refused is in the payload, which can be erased."""
    return entry(Kind.CALLS_REFUSED, orjson.dumps({"refused": shed.reasons, "callers": shed.callers}))


async def sum_up(shedding: Shedding, writer: Writer) -> None:
    """Write until cancelled, and the last sum then. A sum that MongoDB does not confirm in time is not in the log."""
    try:
        while True:
            await asyncio.sleep(SECONDS)
            await _write(shedding, writer)
    finally:
        await _write(shedding, writer)


async def _write(shedding: Shedding, writer: Writer) -> None:
    shed = shedding.taken()
    if shed is not None:
        with suppress(PdpError):
            await writer.append([summary(shed)])
