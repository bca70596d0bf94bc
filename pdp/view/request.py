"""A request as people are shown it: who, on whose behalf, what and to what, each with its leaves, in a fixed order."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from google.protobuf.struct_pb2 import Struct

from pdp.v1.request_pb2 import Request, Subject
from pdp.view.leaf import Leaf, of_struct
from pdp.view.theirs import Theirs
from pdp.visible import typed


class Part(StrEnum):
    """What a member of a request says, in our words."""

    WHO = "who"
    FOR = "on behalf of"
    DOES = "does"
    TO = "to"


class Named(NamedTuple):
    """A member by its name: `path` is as in a policy; an action has no `type`."""

    part: Part
    path: str
    type: Theirs | None
    id: Theirs

    @property
    def text(self) -> str:
        """`<type>:<id>`, or the id."""
        return self.id.name if self.type is None else typed(self.type.text, self.id.text)


Item: TypeAlias = Named | Leaf
"""One thing that is shown of a request. Leaves belong to the name before them; those of the context come last."""


class Difference(NamedTuple):
    """An item that only the newer of two requests has, or only the older."""

    is_new: bool
    item: Item


def items(asked: Request) -> Iterator[Item]:
    """Everything that a request says."""
    yield from _subject(Part.WHO, "subject", asked.subject)
    for index, principal in enumerate(asked.on_behalf_of):
        yield from _subject(Part.FOR, f"on_behalf_of[{index}]", principal)
    yield Named(Part.DOES, "action", None, Theirs(asked.action.name))
    yield from of_struct("action.properties", "action", asked.action.properties)
    yield Named(Part.TO, "resource", Theirs(asked.resource.type), Theirs(asked.resource.id))
    yield from of_struct("resource.properties", "resource", asked.resource.properties)
    yield from of_struct("context", "context", asked.context)


def leaves(shown: Sequence[Item]) -> list[Leaf]:
    """The leaves among what is shown of a request."""
    return [item for item in shown if isinstance(item, Leaf)]


def differences(before: Request, after: Request) -> tuple[Difference, ...]:
    """What only one of two requests says: first what is gone, then what is new. An item counts with its place."""
    old, new = dict.fromkeys(items(before)), dict.fromkeys(items(after))
    gone = (Difference(is_new=False, item=item) for item in old if item not in new)
    return (*gone, *(Difference(is_new=True, item=item) for item in new if item not in old))


def claims(wanted: Struct) -> tuple[Leaf, ...]:
    """What a token must claim."""
    return tuple(of_struct("claim", "claim", wanted))


def _subject(part: Part, path: str, subject: Subject) -> Iterator[Item]:
    yield Named(part, path, Theirs(subject.type), Theirs(subject.id))
    yield from of_struct(f"{path}.properties", part, subject.properties)
