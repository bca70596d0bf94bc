"""What one of several workers shares with the others."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from pdp.opa.engine import Engine
from pdp.opa.handed import handed_engine


@dataclass(frozen=True, slots=True)
class Share:
    """The place of one worker among those of one `pdp serve`, which have addresses, OPA and policy in common."""

    number: int
    """Its own, from 0 on."""
    connection_seconds: float
    """Seconds after which a client is asked to come with a new connection, which any worker may take."""
    handed: Path
    """The folder with the policies that were checked."""
    opa: str = ""
    """The URL of the OPA; empty where the operator runs one, which the configuration names."""
    opa_number: int = 0

    @property
    def is_first(self) -> bool:
        """Whether it does what one process of a deployment should do alone."""
        return self.number == 0

    @property
    def engine(self) -> AbstractAsyncContextManager[Engine]:
        """The OPA of this worker, with the policy that was handed to it."""
        return handed_engine(self.opa, self.handed, self.opa_number)
