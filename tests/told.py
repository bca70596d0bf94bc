"""A channel as tests have it: it keeps what it was told, and refuses as it is told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pdp.channels.notice import Aim, Message, Note, Notice, Refused
from pdp.channels.ways import Way
from tests.faults import eventually


@dataclass
class Chat:
    """A chat service. Messages are found by their number; `refusing` says why it takes none."""

    name: str = "chat"
    edits: bool = True
    refusing: Callable[[str], Refused | None] = lambda _: None
    posted: list[tuple[str, Message]] = field(default_factory=list)
    edited: list[tuple[str, Notice]] = field(default_factory=list)
    replied: list[tuple[str, Notice]] = field(default_factory=list)
    times: list[tuple[str, float]] = field(default_factory=list)

    async def post(self, to: str, message: Message) -> str:
        self._hear(to)
        self.posted.append((to, message))
        return str(len(self.posted) - 1)

    async def edit(self, handle: str, notice: Notice) -> None:
        self._hear(self.posted[int(handle)][0])
        self.edited.append((handle, notice))

    async def reply(self, handle: str, notice: Notice) -> None:
        self._hear(self.posted[int(handle)][0])
        self.replied.append((handle, notice))

    async def check(self) -> None:
        if refused := self.refusing(""):
            raise refused

    def _hear(self, to: str) -> None:
        self.times.append((to, asyncio.get_running_loop().time()))
        if refused := self.refusing(to):
            raise refused

    def told(self, approval_id: str, aim: Aim = Aim.ASK) -> list[str]:
        """To whom notices about an approval were posted."""
        return sorted(to for to, one in self.of(approval_id) if one.aim is aim)

    def of(self, approval_id: str) -> list[tuple[str, Notice]]:
        return [(to, one) for to, one in self.posted if isinstance(one, Notice) and one.approval_id == approval_id]

    def shows(self, approval_id: str) -> dict[str, Notice]:
        """What stands in each conversation about an approval now."""
        shown: dict[str, Notice] = {}
        for handle, (to, message) in enumerate(self.posted):
            if isinstance(message, Notice) and message.approval_id == approval_id:
                shown[to] = next((one for at, one in reversed(self.edited) if at == str(handle)), message)
        return shown

    @property
    def notes(self) -> list[tuple[str, Note]]:
        return [(to, one) for to, one in self.posted if isinstance(one, Note)]


@dataclass
class Known:
    """Where people are: those of these names at the name itself."""

    names: tuple[str, ...] = ("alice", "bob", "carol")

    async def of(self, identity: str) -> str:
        kind, _, name = identity.partition(":")
        return name if kind == "user" and name in self.names else ""


async def until(look: Callable[[], object], *, seconds: float = 60) -> None:
    """Return as soon as `look` finds something in memory."""

    async def found() -> bool:
        return bool(look())

    await eventually(found, seconds=seconds)


def way(chat: Chat, *names: str, **groups: str) -> Way:
    """The way through a chat to people, and to groups that have a conversation of their own."""
    known = Known(names) if names else Known()
    return Way(chat, known, {name.replace("_", "-"): to for name, to in groups.items()})
