"""A page of the queue is narrowed in MongoDB, by values that stay literals."""

import orjson
import pytest

from pdp.store.approvals import Approvals
from pdp.store.database import Database
from pdp.store.queue import EVERYTHING, Place, Queue, Wanted
from tests.pdp.specimens import OPENING, SEALER
from tests.pdp.store.test_approvals import opened

REQUEST = orjson.loads(OPENING["request"])
ACTION, TYPE = REQUEST["action"]["name"], REQUEST["resource"]["type"]
MATCHING = [
    EVERYTHING,
    Wanted(action=ACTION),
    Wanted(resource_type=TYPE),
    Wanted(action=ACTION, resource_type=TYPE, caller=OPENING["caller"]),
    Wanted(person=OPENING["principals"][0]),
    Wanted(group="stewards"),
]
OTHERS = [
    Wanted(action="$kind"),
    Wanted(action="$$ROOT"),
    Wanted(action=ACTION[:-1]),
    Wanted(action=TYPE),
    Wanted(resource_type=ACTION),
    Wanted(resource_type=f"{ACTION}\n{TYPE}"),
    Wanted(caller="agent:other"),
    Wanted(person="$principals"),
    Wanted(group="others"),
    Wanted(named="user:bob"),
    Wanted(group="stewards", named="user:bob"),
]


@pytest.mark.parametrize("wanted", [*MATCHING, *OTHERS])
async def test_page_has_what_is_wanted_in_its_order(database: Database, wanted: Wanted) -> None:
    approvals, queue = Approvals(database, SEALER), Queue(database)
    made = [(await opened(approvals, number)).id for number in range(1, 5)]
    pages, after = list[str](), None
    while page := await queue.page(["g:stewards"], {"user:carol"}, after, 3, wanted):
        pages += [held.approval.id for _, held in page]
        after = page[-1][0]
    assert pages == (made if wanted in MATCHING else [])
    assert after is None or isinstance(after, Place)
