"""Tables: as wide as their widest cell, and nothing in them is cut or harmful."""

from datetime import UTC, datetime

from pdp.cli import tables
from pdp.v1.approval_pb2 import Approval
from tests.cli.terminal import is_harmless
from tests.cli.test_telling import held


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert tables.table(("A", "B"), [("xx", "y"), ("", "zzz")]) == "A   B\nxx  y\n    zzz"


def test_age_is_in_the_largest_unit_and_never_negative() -> None:
    opened = Approval()
    opened.created_at.seconds = 1_000_000
    told = {seconds: tables.age(opened, datetime.fromtimestamp(1_000_000 + seconds, UTC)) for seconds in (-5, 59, 3600)}
    assert told == {-5: "0 s", 59: "59 s", 3600: "1 h"}
    assert tables.age(opened, datetime.fromtimestamp(1_000_000 + 3 * 86_400, UTC)) == "3 d"


def test_cells_of_a_queue_tell_requests_apart_also_from_those_above() -> None:
    now = datetime.fromtimestamp(0, UTC)
    one, other = held({"a": 1}), held({"a": 2})
    (cells,) = tables.queue_cells([other], [one], now=now)
    assert len(cells) == len(tables.QUEUE)
    assert cells[2] == "context.a = 2"
    assert is_harmless(" ".join(cells))
    assert tables.queue_cells([], [one], now=now) == []
