"""The levels that are set from time to time: what waits in MongoDB, its clock, days of certificates."""

from datetime import timedelta
from pathlib import Path

from pdp.config import Tls
from pdp.server.levels import days_left
from pdp.store.database import Database
from pdp.store.pressure import Pressure
from tests.certificates import Authority


async def test_what_waits_is_counted_and_the_oldest_is_found(database: Database) -> None:
    pressure = Pressure(database)
    assert await pressure.oldest(10) == (0, 0.0)
    now = await database.now()
    waits = {"state": "PENDING", "pending_for_ms": 3_600_000}
    documents = [
        {
            "_id": f"apr_{number}",
            "caller": f"agent:{number}",
            "created_at": now - timedelta(minutes=40 - number),
            **waits,
        }
        for number in range(3)
    ]
    over = {"_id": "apr_", "caller": "agent:x", "created_at": now - timedelta(minutes=90), **waits}
    await database.database.get_collection("approvals").insert_many([*documents, over])
    count, seconds = await pressure.oldest(10)
    assert count == 3
    assert 2390 < seconds < 2460
    assert (await pressure.oldest(2))[0] == 2


def test_days_of_a_certificate_are_those_of_its_file_as_it_is_now(tmp_path: Path) -> None:
    pair = Authority(tmp_path).server()
    tls = Tls(certificate=pair.certificate, key=pair.key)
    before = days_left(tls)
    assert before > 0
    pair.certificate.write_text("no certificate")
    assert days_left(tls) == 0
    pair.certificate.unlink()
    assert days_left(tls) == 0
