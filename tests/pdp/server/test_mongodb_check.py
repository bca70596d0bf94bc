"""What the doctor says of a MongoDB, by what was seen of it."""

from typing import Any

import pytest

from pdp.server.mongodb_check import _of_database, _of_server
from pdp.server.observed import Level, Observed
from pdp.store import cause
from pdp.store.inspection import Inspection


def lines(**members: Any) -> list[Observed]:
    found = Inspection(**{"version": "7.0.2", "members": 3, **members})
    return [one for one in (*_of_server(found), *_of_database(found, "placet")) if one.level is not Level.OK]


@pytest.mark.parametrize(
    ("members", "level", "what"),
    [
        ({"version": "5.0.9"}, Level.WRONG, "MongoDB"),
        ({"version": "8.2.0"}, Level.WARNING, "MongoDB"),
        ({"majority": cause.NO_MAJORITY}, Level.WRONG, "write concern"),
        ({"ahead_seconds": 2.0}, Level.WARNING, "clock"),
        ({"ahead_seconds": -40.0}, Level.WRONG, "clock"),
        ({"rights": cause.rights_sentence(["find"], "placet")}, Level.WRONG, "MongoDB's rights"),
        ({"unhelped": ["listIndexes"]}, Level.WARNING, "MongoDB's rights"),
        ({"schema": cause.OTHER_VERSION}, Level.WRONG, "database"),
        ({"hidden": True}, Level.WARNING, "indexes"),
        ({"lacking": ["approvals.mine"]}, Level.WRONG, "indexes"),
        ({"differing": ["approvals.mine"]}, Level.WRONG, "indexes"),
        ({"remarks": ["the driver does not know the option x"]}, Level.WARNING, "mongodb_uri"),
    ],
)
def test_each_fault_is_a_line_with_its_level(members: dict[str, Any], level: Level, what: str) -> None:
    [line] = lines(**members)
    assert (line.level, line.what) == (level, what)


def test_a_sound_one_has_no_faults() -> None:
    assert lines() == lines(version="6.0.5", is_empty=True) == []
