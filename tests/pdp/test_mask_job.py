"""Mask jobs: their places, and that what is stored of them is what a server signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from joserfc.jwk import OKPKey

from pdp.errors import InvalidRequest
from pdp.mask_job import (
    MAX_ATTEMPT,
    MAX_PARTS,
    MAX_PIECES,
    JobSealer,
    JobState,
    MaskJob,
    MaskJobTampered,
    Place,
    Streamed,
)

SEALER = JobSealer(OKPKey.generate_key("Ed25519", {"kid": "seal"}), "example")
FROZEN, STOP = b'{"table":"people"}', orjson.dumps({"by": "cancel", "why": "enough"})
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
JOB = MaskJob(
    id="job_1",
    state=JobState.RUNNING,
    frozen=FROZEN,
    seal=SEALER.beginning("job_1", FROZEN, FROM, UNTIL),
    started_at=FROM,
    expires_at=UNTIL,
)
SENT = Streamed(Place(1, 2, 3), "ended", 4, (5, 6))


@pytest.mark.parametrize("place", [Place(0, 0), Place(MAX_PARTS - 1, MAX_ATTEMPT, MAX_PIECES - 1)])
def test_place_in_its_range(place: Place) -> None:
    assert place.require("job") == place


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (Place(-1, 0), "part"),
        (Place(MAX_PARTS, 0), "part"),
        (Place(1 << 40, 0), "part"),
        (Place(0, -1), "attempt"),
        (Place(0, MAX_ATTEMPT + 1), "attempt"),
        (Place(0, 0, MAX_PIECES), "piece"),
    ],
)
def test_place_outside_of_it_is_named(place: Place, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        place.require("start.job")
    assert [path for path, _ in refused.value.violations] == [f"start.job.{field}"]


def test_job_as_it_was_written_passes() -> None:
    stopped = replace(JOB, stop=STOP, stop_seal=SEALER.signed("stop", JOB.id, STOP))
    assert SEALER.require(JOB) is JOB
    assert SEALER.require(replace(stopped, state=JobState.STOPPED)).why == "enough"


@pytest.mark.parametrize(
    "changes",
    [
        {"frozen": b'{"table":"salaries"}'},
        {"id": "job_2"},
        {"seal": SEALER.signed("stop", JOB.id, FROZEN)},
        {"stop": STOP},
        {"state": JobState.STOPPED, "stop": STOP, "stop_seal": SEALER.signed("result", JOB.id, STOP)},
        {"stop": STOP, "stop_seal": SEALER.signed("stop", JOB.id, STOP)},
        {"state": JobState.STOPPED},
        {"state": JobState.FINISHED},
        {"result": b"{}", "result_seal": SEALER.signed("result", "job_2", b"{}")},
        {"seal": JobSealer(SEALER.key, "another").beginning(JOB.id, FROZEN, FROM, UNTIL)},
        {"started_at": UNTIL},
        {"expires_at": UNTIL + timedelta(milliseconds=1)},
    ],
    ids="-".join,
)
def test_changed_job_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MaskJobTampered):
        SEALER.require(replace(JOB, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"rows": 5}, {"values": (5, 7)}, {"place": Place(1, 2, 4)}, {"state": "broken"}, {"seal": ""}],
    ids=str,
)
def test_what_a_stream_sent_is_signed(changes: dict[str, Any]) -> None:
    signed = replace(SENT, seal=SEALER.streamed(JOB.id, SENT))
    assert SEALER.is_ours(JOB.id, signed)
    assert not SEALER.is_ours("job_2", signed)
    assert not SEALER.is_ours(JOB.id, replace(signed, **changes))


def test_job_says_why_it_takes_no_part() -> None:
    assert replace(JOB, is_over=True).ended().metadata == {"state": "STOPPED"}
    done = replace(JOB, state=JobState.FINISHED, result=orjson.dumps({"why": "", "outcome": "FAILED"}))
    assert done.why == "it is finished: FAILED"
