"""What was shown of data is kept as text, and tells whether more is known later."""

import base64
import zlib
from collections.abc import Mapping, Sequence

import pytest

from pdp.displayed import digest
from pdp.lineage.seen import MAX_BYTES, Seen, kept, seen
from pdp.lineage.view import State, View
from pdp.workflow.lineage_views import OFF
from tests.known import NONE, view

SHOWN = {"email": ["contact", "pii"], "Größe": ["x"], "id": []}


def test_what_is_kept_is_read_again() -> None:
    assert seen(kept(view(SHOWN))) == Seen(
        frozenset({"contact", "pii", "x"}), {"email": ["contact", "pii"], "Größe": ["x"]}
    )


@pytest.mark.parametrize("nothing", [OFF, NONE])
def test_where_there_is_nothing_to_show_nothing_is_kept(nothing: View) -> None:
    assert kept(nothing) == ""
    assert seen("") == Seen()
    assert seen("").covers(nothing)


@pytest.mark.parametrize(
    ("now", "is_covered"),
    [
        (SHOWN, True),
        ({}, True),
        ({"email": ["pii"]}, True),
        ({"email": ["contact", "pii"], "note": []}, True),
        ({"id": ["pii"]}, False),
        ({"email": ["health"]}, False),
        ({"new": ["x"]}, False),
    ],
)
def test_more_tags_of_any_column_are_not_covered(now: Mapping[str, Sequence[str]], *, is_covered: bool) -> None:
    assert seen(kept(view(SHOWN))).covers(view(now)) is is_covered
    assert seen("").covers(view(now)) is not any(now.values())


def test_a_tag_of_the_whole_data_is_covered_only_if_it_was_shown() -> None:
    unknown = view({}, state=State.UNKNOWN, extra=["unclassified"])
    assert seen(kept(unknown)).covers(unknown)
    assert not seen(kept(view(SHOWN))).covers(unknown)


def test_of_very_many_columns_any_change_counts_as_growth() -> None:
    many = view({f"{number:0100}": ["pii"] for number in range(MAX_BYTES // 100)})
    held = seen(kept(many))
    assert (held.columns, held.tags) == (None, {"pii"})
    assert held.covers(many)
    assert not held.covers(view({}, extra=["pii"]))
    assert held.added("any", ["pii", "x"]) == ["x"]


def test_what_came_since_is_told() -> None:
    held = seen(kept(view(SHOWN)))
    assert held.added("email", ["contact", "health"]) == ["health"]
    assert held.added("note", ["contact"]) == ["contact"]


@pytest.mark.parametrize(
    "text",
    ["x", "AAAA", base64.b64encode(zlib.compress(b"[]")).decode(), base64.b64encode(zlib.compress(b"{")).decode()],
)
def test_what_no_server_wrote_keeps_nothing(text: str) -> None:
    assert seen(text) == Seen()


def test_the_digest_is_of_what_is_shown_alone() -> None:
    known = view(SHOWN, n=1)
    datasets = [one._asdict() for one in known.datasets]
    assert digest(datasets, known.tags, known.columns) == known.digest == view(SHOWN, n=2).digest
    assert view({"email": ["pii"]}).digest != known.digest
