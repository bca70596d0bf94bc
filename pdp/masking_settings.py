"""The part `[masking]` of the configuration: who may mask more than others, and the jobs that mask in many parts."""

from typing import Annotated

from pydantic import Field, StringConstraints

from pdp.identity_source import Frozen

_Identity = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.+$")]
_Count = Annotated[int, Field(ge=0)]


class Masking(Frozen):
    """Who may mask more than others, and the jobs that mask in many parts."""

    bulk: dict[_Identity, _Count] = Field(default_factory=dict)
    """Values an hour in place of `mask_values_an_hour`, by identity: of callers that mask whole tables, and of people
    behind them, each of whom counts a caller's values, too."""
    ticket_listen: str = ""
    """`host:port` without client certificates, for machines that come with the ticket of a mask job and with nothing
    else. Only beside a `listen` that demands certificates."""
    job_hours: float = Field(default=12, gt=0, le=168)
    """Hours after its start at which a mask job and its ticket end. Who holds a ticket can mask rows of the job until
    then, so give no more than the longest job takes."""
