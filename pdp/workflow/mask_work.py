"""What is to be done to which data, as a mask job takes it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import masker
from pdp.masking.job import Progress
from pdp.masking.plan import PLAN_SECONDS
from pdp.masking.rows import Shape
from pdp.workflow.answer import Answer, Ask, Decided


async def _with_room(progress: Progress, _: Decided) -> None:
    await progress.has_room()


class Continued(Protocol):
    """Work that goes on for a day under one claim, in call after call."""

    async def held(self, ask: Ask, answer: Answer) -> str:
        """The claim that this call goes on with; empty for a new one."""

    async def take(self, decided: Decided, claim: str) -> None:
        """The decision is used under this claim. Raises `Conflict` where another call began the work just now."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done to which data; `only` leaves all but these columns alone.

    1. `bound` gives what the decision is bound to beside the request, once there is a plan: members for its context.
    2. `content` parses what is to be worked on, or raises. It runs before the decision, so that no approval is used for
       what is broken, but never for a caller whom the policy denies. `bound` needs the content before anybody is
       asked, as the policy may look at what it gives.
    3. `begin` does, before the decision is used, all that may be refused. It gets the decision as it would be answered,
       but for its proof and stamps. For a stream, whose content comes later, it sees that the quota has room.
    4. `continued` is of work that goes on in call after call.
    5. `size` is that of the content, in bytes.
    6. `key_version` masks; 0 is the active one. The plan ends after `seconds`.
    7. `claims` is how the ids of its claims begin.
    """

    action: str
    shape: Shape
    masked_version: int = 0
    only: Sequence[str] = ()
    bound: Callable[[masker.MaskPlan, masker.Keyring], Mapping[str, Any]] | None = None
    content: Callable[[], object] | None = None
    begin: Callable[[Progress, Decided], Awaitable[None]] = _with_room
    continued: Continued | None = None
    size: int = 0
    key_version: int = 0
    seconds: float = PLAN_SECONDS
    claims: str = "use"
