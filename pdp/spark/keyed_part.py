"""One part where the keys are on the executor: masked here, once ticket, plan and keys are known to be of one job."""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from masker import Keyring, Masker, MaskError, MaskPlan
from masker.errors import MaskRefused
from pdp import mask_ticket
from pdp.arrow.table import Batch
from pdp.mask_ticket import KEYS_ON_EXECUTORS, Ticket
from pdp.spark import values
from pdp.spark.sealed import Sealed
from pdp.spark.tally import Tally

_MASKERS: dict[tuple[int, str], Masker] = {}
"""The masker of this process, by process and ticket: its kernels are compiled once."""


def masked(sealed: Sealed, keys: str, table: str, place: tuple[int, int], batches: Iterable[Batch]) -> Iterator[Any]:
    """The masked batches, and at last the `Tally` of the part. Raises `MaskRefused`."""
    part, rows, refused = place[0], 0, None
    counts = dict[str, int]()
    try:
        masker = _masker(sealed, keys, table)
        for batch in batches:
            made = masker.batch(batch, first_row=rows)
            rows += batch.num_rows
            for column, number in values.counted(masker.plan, batch).items():
                counts[column] = counts.get(column, 0) + number
            yield made
    except MaskError as error:
        refused = error if isinstance(error, MaskRefused) else MaskRefused.of(error, table=table, part=part)
    if refused is not None:
        raise refused
    yield Tally({place: rows}, counts)


def require_whole(sealed: Sealed, table: str, now: float) -> Ticket:
    """The ticket, once it is known offline that its job has this plan. Raises `MaskRefused`."""
    problem = ""
    try:
        ticket = mask_ticket.read(sealed.ticket, sealed.ticket_key, now)
        if (ticket.table, ticket.keys) != (table, KEYS_ON_EXECUTORS):
            problem = "the ticket is of another job"
        elif MaskPlan.from_json(sealed.plan_json).sha256() != ticket.plan_sha256:
            problem = "the plan is not that of the ticket"
        else:
            return ticket
    except ValueError as error:
        problem = f"the ticket is refused: {error}"
    except MaskError as error:
        problem = f"the plan is refused: {error}"
    raise MaskRefused(problem, table=table)


def _masker(sealed: Sealed, keys: str, table: str) -> Masker:
    """The masker of this process. The ticket is looked at for each part, as it ends."""
    ticket = require_whole(sealed, table, time.time())
    at = os.getpid(), sealed.ticket
    if at not in _MASKERS:
        ring = Keyring.load(keys)
        if ring.realm != ticket.realm:
            raise MaskRefused(f"the key file is of the realm {ring.realm}, not {ticket.realm}", table=table)
        _MASKERS.clear()
        _MASKERS[at] = Masker(MaskPlan.from_json(sealed.plan_json), ring)
    return _MASKERS[at]
