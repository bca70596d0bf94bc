"""What people are told of an approval in a channel, and what a channel can do. Pure.

1. A notice says that something waits, or how it stands. It takes no yes, so long names are shortened in it.
2. It holds no resource id, no value, no reason and no justification: history and exports of a chat hold none either.
   Only an `Ending` has another person's words; it goes to the people behind the request alone, never to a group.
3. Each text is on one line, and characters that could deceive a reader are visible: who makes a notice passes each
   through `said`, once. A channel writes it where its vendor reads no markup.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from pdp.visible import shortened

MAX_NAME = 80
"""Characters of a name in a notice."""
MAX_WORDS = 500
"""Characters of another person's words in an ending. The page has all of them."""

ATTEMPT_SECONDS = 5.0
"""Seconds of one attempt in a channel: less than the time until another process may make the next one."""


class Aim(StrEnum):
    """What a notice is for."""

    ASK = "ask"
    """It waits for people: the reader may review it, or somebody of this group may."""
    REMIND = "remind"
    """It still waits for the reader. It is a reply in the thread of the notice that asked."""
    END = "end"
    """The people behind a request hear how it ended. It has an `Ending`."""


@dataclass(frozen=True, slots=True)
class Part:
    """How far one requirement is: of `needed` people `approved` have approved."""

    rule: str
    approved: int
    needed: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Who gave which verdict (APPROVE, DENY, CHANGES_REQUESTED) where: `api`, `web`, `slack` or `teams`."""

    who: str
    verdict: str
    channel: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended, for the people behind it.

    `words` are those of who ended it, untrusted. `usable_until` is there where it was approved, `denied_until` where
    the same request stays denied until then. `again` is a sentence of ours: how to go on.
    """

    words: str
    usable_until: datetime | None
    denied_until: datetime | None
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An approval as it stands at `version`, for a reader who may be anybody in the channel.

    `state` is the contract's word. `ends_at` is when this state ends by itself; None at an end. `page` is the one link;
    it is empty where there are no pages. `ended_by` is empty where time or the policy did it, or where it is open.
    """

    aim: Aim
    approval_id: str
    version: int
    state: str
    action: str
    resource_type: str
    caller: str
    progress: tuple[Part, ...]
    reviews: tuple[Reviewed, ...]
    ends_at: datetime | None
    page: str
    ended_by: str = ""
    ending: Ending | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that ask for people."""
        return tuple(part.rule for part in self.progress)

    @property
    def is_open(self) -> bool:
        """Whether people may still review it. Only then a channel offers buttons."""
        return self.state == "PENDING"

    @property
    def without_words(self) -> "Notice":
        """Without words of others, for a notice that is changed: no letter is signed, so it may be anywhere."""
        return replace(self, ending=replace(self.ending, words="")) if self.ending else self

    @property
    def approved(self) -> int:
        """How many approvals count, over all requirements."""
        return sum(min(part.approved, part.needed) for part in self.progress)

    @property
    def needed(self) -> int:
        """How many approvals are asked for, over all requirements."""
        return sum(part.needed for part in self.progress)


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence of ours that is about no approval, and the page behind it, which may be empty."""

    sentence: str
    page: str = ""


Message: TypeAlias = Notice | Note


class Refused(Exception):
    """A vendor did not take a message. `problem` is a sentence of ours that quotes nothing of the vendor's.

    `retry_after`: seconds in which it wants to hear nothing. `dead`: it does not take our credentials, or lets us not
    in; all messages would fare alike until somebody mends it. `away`: the service itself does not answer as it should.
    `too_large`: a smaller message would be taken. `mend` is for those who run the server, and not stored: where it was
    tried, by which setting, and what to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        retry_after: float | None = None,
        dead: bool = False,
        away: bool = False,
        too_large: bool = False,
        mend: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem, self.retry_after, self.dead, self.away, self.mend = problem, retry_after, dead, away, mend
        self.too_large = too_large


class Channel(Protocol):
    """A way to reach people. It only speaks to its vendor: when, to whom and how often is not its business.

    Each method makes one attempt, which ends within `ATTEMPT_SECONDS` of its caller, and raises `Refused`.
    """

    @property
    def name(self) -> str:
        """`slack`, `teams` or `mail`."""

    @property
    def edits(self) -> bool:
        """Whether a message can be changed after it was sent."""

    async def post(self, to: str, message: Message) -> str:
        """Send it to a person or a group. Returns what `edit` and `reply` find it by: at most 1,000 characters."""

    async def edit(self, handle: str, notice: Notice) -> None:
        """Change a notice that was posted to what this one says."""

    async def reply(self, handle: str, notice: Notice) -> None:
        """Send it in the thread of a notice that was posted."""

    async def check(self) -> None:
        """Find out whether messages would be taken, without sending one to anybody. Raises `Refused`."""


class Addresses(Protocol):
    """Where people are told in one channel."""

    async def of(self, identity: str) -> str:
        """What `post` of the channel takes as `to` for this person; empty where nothing is known."""


def said(text: str, most: int = MAX_NAME) -> str:
    """A text of somebody else as a notice has it: on one line, hidden and foreign characters visible, shortened."""
    return shortened(text, most)
