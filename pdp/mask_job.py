"""What a mask job is: one decision, many streams of parts, one end. Pure: documents and answers in, results out.

    RUNNING -> STOPPED -> FINISHED, and RUNNING -> FINISHED

1. What a job began with never changes, and the server signs it with its times. So does it with what each stream sent,
   why a job was stopped, and how it ended. Who writes to the database can stop a job, take its stop back and take
   streams out, and cannot make a job or a stream, give a job more time, or change its record.
2. All times are MongoDB's.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.errors import InvalidRequest, KeyRefused, PdpError

MAX_PARTS = 100_000
"""Parts of a job. Their numbers begin at 0."""
MAX_ATTEMPT = (1 << 53) - 1
"""The highest number of an attempt: the highest that every language reads from JSON."""
MAX_COUNTED = MAX_ATTEMPT
"""The most rows, values and attempts that are said of a job, each kind together, for the same reason."""
MAX_PIECES = 10_000
"""Streams of one attempt."""
MAX_STREAMS = 1_000_000
"""Streams of a job, with all attempts."""
MAX_REASON = 1_000
"""Characters of what a caller says of the end of its job."""


class JobState(StrEnum):
    """Where a job stands; the names are the contract's."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"


_HAVING = {
    JobState.RUNNING: {(False, False)},
    JobState.STOPPED: {(True, False)},
    JobState.FINISHED: {(True, True)},
}
"""Whether a job has a stop, and a result, by its state."""


class MaskJobEnded(PdpError):
    """A mask job is stopped or finished, or its time is over; the metadata has its `state`."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_JOB_ENDED"


class MaskJobDenied(PdpError):
    """The policy of now does not allow a mask job any more; the job is stopped."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_JOB_DENIED"


class MaskPlanChanged(PdpError):
    """The policy of now masks the table of a mask job in another way, which the sentence names; the job is stopped."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_PLAN_CHANGED"


class KeyRetired(KeyRefused):
    """The key version that a job began with is retired; the job is stopped."""


class PartRepeated(PdpError):
    """A stream of this part, attempt and piece of a mask job began before."""

    code = "ALREADY_EXISTS"
    reason = "PART_REPEATED"


class MaskJobTampered(PdpError):
    """A mask job was changed in MongoDB, and not by a server; it is refused."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_JOB_TAMPERED"


@dataclass(frozen=True, slots=True)
class Place:
    """Which stream of a job: the piece of an attempt of a part."""

    part: int
    attempt: int
    piece: int = 0

    def require(self, path: str) -> "Place":
        """The place itself. Raises `InvalidRequest` where a number is out of its range."""
        most = {"part": MAX_PARTS - 1, "attempt": MAX_ATTEMPT, "piece": MAX_PIECES - 1}
        bad = [(name, top) for name, top in most.items() if not 0 <= getattr(self, name) <= top]
        if bad:
            raise InvalidRequest.fields([(f"{path}.{name}", f"is a number from 0 to {top}") for name, top in bad])
        return self


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a stream sent: `values` are those of each counted column, in the order of the plan.

    `state` is "open" while it streams, "ended" where it came to its end, and "broken" where it did not. What one
    sent that is open, or whose server died, is unknown.
    """

    place: Place
    state: str = "open"
    rows: int = 0
    values: tuple[int, ...] = ()
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskJob:
    """A job as stored: what it began with, as JSON in `frozen`, and what became of it.

    `stop` says who stopped it and why, and `result` how it ended; both are JSON, empty before.
    """

    id: str
    state: JobState
    frozen: bytes
    seal: str
    started_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None
    streams: int = 0
    stop: bytes = b""
    stop_seal: str = ""
    result: bytes = b""
    result_seal: str = ""
    is_over: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """`frozen`, parsed."""

    @property
    def why(self) -> str:
        """Why it takes no part any more, in a sentence; empty while it runs."""
        if self.result:
            told = orjson.loads(self.result)
            return str(told["why"]) or f"it is finished: {told['outcome']}"
        if self.stop:
            return str(orjson.loads(self.stop)["why"])
        if self.is_over:
            return "its time is over"
        return f"it had {MAX_STREAMS:,} streams, the most of a job" if self.streams >= MAX_STREAMS else ""

    def ended(self) -> MaskJobEnded:
        """The error of a call that comes too late."""
        state = JobState.STOPPED if self.state is JobState.RUNNING else self.state
        return MaskJobEnded(f"the mask job {self.id} takes no part any more: {self.why}", state=state)


def tampered(job_id: str) -> MaskJobTampered:
    """The error of a job that no server wrote as it is."""
    return MaskJobTampered(
        f"the mask job {job_id} was changed in MongoDB, and not by a server; it is refused, tell who runs Placet"
    )


@dataclass(frozen=True, slots=True)
class JobSealer:
    """Signs and checks what is stored of jobs with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str
    of_parts: bytes = field(init=False, repr=False)
    """The key over what streams sent."""

    def __post_init__(self) -> None:
        secret = str(self.key.as_dict(private=True)["d"]).encode()
        object.__setattr__(self, "of_parts", hmac.digest(secret, f"placet-mask-part {self.realm}".encode(), "sha256"))

    def signed(self, what: str, job_id: str, told: bytes) -> str:
        """The signature over a text about a job; `what` is "job", "stop", "result" or "outbox"."""
        claims = {"realm": self.realm, "job": job_id, "sha256": sha256(told).hexdigest()}
        return jws.signed(f"placet-mask-{what}+jwt", claims, self.key)

    def beginning(self, job_id: str, frozen: bytes, started_at: datetime, expires_at: datetime) -> str:
        """The signature over what a job began with, and over its times in milliseconds."""
        times = [round(at.timestamp() * 1000) for at in (started_at, expires_at)]
        return self.signed("job", job_id, orjson.dumps(times) + frozen)

    def streamed(self, job_id: str, streamed: Streamed) -> str:
        """The signature over what a stream sent, by a key that is made of the private key `seal`.

        The end of a job makes up to a million of them, and a signature by `seal` itself takes thirty times as long.
        """
        place = streamed.place
        told = [job_id, place.part, place.attempt, place.piece, streamed.state, streamed.rows, *streamed.values]
        return hmac.digest(self.of_parts, orjson.dumps(told), "sha256").hex()

    def require(self, job: MaskJob) -> MaskJob:
        """The job itself. Raises `MaskJobTampered` unless it is as servers of this deployment wrote it."""
        begun = self.beginning(job.id, job.frozen, job.started_at, job.expires_at)
        there = (bool(job.stop), bool(job.result))
        if not self._equal(begun, job.seal) or there not in _HAVING[job.state]:
            raise tampered(job.id)
        for what, text, seal in (("stop", job.stop, job.stop_seal), ("result", job.result, job.result_seal)):
            if text:
                self.require_signed(what, job.id, text, seal)
        return job

    def require_signed(self, what: str, job_id: str, told: bytes, seal: str) -> None:
        """Raise `MaskJobTampered` unless this is the signature over the text."""
        if not self._equal(self.signed(what, job_id, told), seal):
            raise tampered(job_id)

    def is_ours(self, job_id: str, streamed: Streamed) -> bool:
        """Whether a server wrote what a stream sent. Of an open one nothing is told."""
        return streamed.state == "open" or self._equal(self.streamed(job_id, streamed), streamed.seal)

    @staticmethod
    def _equal(made: str, stored: str) -> bool:
        return hmac.compare_digest(made.encode(), stored.encode())
