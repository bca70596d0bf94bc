"""The sums of a job, and the compact form of its parts in the record."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.compact_parts import compact, expanded
from pdp.errors import InvalidRequest
from pdp.mask_job import MAX_ATTEMPT, Place, Streamed
from pdp.masking.job_totals import MAX_LISTED, Attempt, Totals, listed


def totals(*streams: Streamed) -> Totals:
    made = Totals(["id", "mail"])
    for one in streams:
        made.add(one)
    return made


def sent(part: int, attempt: int = 0, piece: int = 0, rows: int = 1, state: str = "ended") -> Streamed:
    return Streamed(Place(part, attempt, piece), state, rows, (rows, 2 * rows))


def test_pieces_of_an_attempt_are_one_attempt() -> None:
    made = totals(sent(0), sent(0, 0, 1, rows=4), sent(0, 1))
    assert [(one.attempt, one.pieces, one.rows, one.state) for one in made.attempts] == [
        (0, 2, 5, "ended"),
        (1, 1, 1, "ended"),
    ]
    assert (made.rows, dict(made.values)) == (6, {"id": 6, "mail": 12})


@pytest.mark.parametrize(
    "streams",
    [
        [sent(0, piece=0), sent(0, piece=2)],
        [sent(0, piece=1)],
        [sent(0, state="broken")],
        [sent(0, state="broken", rows=0)],
        [sent(0, state="broken", rows=0), sent(0, piece=2)],
        [sent(0, state="open")],
        [sent(0, piece=0, state="broken"), sent(0, piece=1)],
    ],
    ids=["gap", "no beginning", "broken", "nothing", "nothing and a gap", "open", "broken and on"],
)
def test_attempt_has_ended_where_all_of_it_has(streams: list[Streamed]) -> None:
    made = totals(*streams)
    with pytest.raises(InvalidRequest, match="did not come to its end"):
        made.require({0: (0, made.rows)})


def test_stream_that_sent_nothing_is_followed_by_the_next_piece() -> None:
    made = totals(sent(0, state="broken", rows=0), sent(0, piece=1), sent(0, piece=2, state="broken", rows=0))
    made.require({0: (0, 1)})
    assert [(one.pieces, one.rows, one.state) for one in made.attempts] == [(3, 1, "ended")]


def test_stream_whose_server_died_is_followed_by_the_next_piece_and_is_told() -> None:
    made = totals(sent(0, state="open", rows=0), sent(0, piece=1, rows=3))
    made.require({0: (0, 3)})
    assert [(one.rows, one.state, one.unknown) for one in made.attempts] == [(3, "ended", 1)]
    with pytest.raises(InvalidRequest, match="it is open"):
        totals(sent(0, rows=3), sent(0, piece=1, state="open", rows=0)).require({0: (0, 3)})


def test_what_no_server_wrote_counts_nothing() -> None:
    made = Totals(["id"])
    made.add(sent(0, rows=9), is_sound=False)
    assert (made.rows, made.attempts[0].state, dict(made.values)) == (0, "changed", {})


def test_said_parts_were_streamed_with_so_many_rows() -> None:
    made = totals(sent(0, rows=2), sent(1, 5, rows=3))
    made.require({0: (0, 2), 1: (5, 3)})
    for said in ({0: (1, 2)}, {2: (0, 0)}, {1: (5, 4)}):
        with pytest.raises(InvalidRequest):
            made.require(said)
    assert [one.attempt for one in made.counting({1: (5, 3)})] == [5]


@given(
    st.dictionaries(
        st.integers(0, 99_999), st.tuples(st.integers(0, MAX_ATTEMPT), st.integers(0, 1 << 40)), max_size=50
    )
)
def test_compact_form_gives_back_what_it_was_made_of(said: dict[int, tuple[int, int]]) -> None:
    attempts = [(part, *rest) for part, rest in said.items()]
    assert expanded(orjson.loads(orjson.dumps(compact(attempts)))) == sorted(attempts)


def test_ten_thousand_parts_are_small() -> None:
    held = compact((part, 3 * part + 7, 100_000 + part % 977) for part in range(10_000))
    assert len(orjson.dumps(held)) < 256 * 1024 / 2


def test_record_lists_so_many_other_attempts() -> None:
    others = [Attempt(part, 0, 1, 2, "broken") for part in range(MAX_LISTED + 5)]
    assert len(listed(others)) == MAX_LISTED
    assert listed(others)[0] == [0, 0, 1, 2, "broken"]
