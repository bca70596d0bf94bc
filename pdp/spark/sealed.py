"""What a job gives to executors that have the keys."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sealed:
    """A plan, the job's ticket, and the public key that verifies the ticket, all as text."""

    plan_json: str = field(repr=False)
    ticket: str = field(repr=False)
    ticket_key: str = field(repr=False)
