"""Rows of a queue in words, in which no two requests look alike."""

from collections.abc import Iterable
from typing import NamedTuple

from pdp.cli import tokens
from pdp.v1.approval_pb2 import Approval
from pdp.view import row
from pdp.view.request import Part
from pdp.view.unmasking import unmasking
from pdp.visible import name, typed, visible


class Line(NamedTuple):
    """What a list says of one approval: what it does, what tells it from others, and for whom."""

    held: Approval
    does: str
    what: str
    whose: str

    @property
    def looks(self) -> tuple[str, str, str]:
        """What a person sees of the request."""
        return self.does, self.what, self.whose


def rows(approvals: Iterable[Approval]) -> list[Line]:
    """A line for each approval, in their order."""
    return [Line(one.held, does(one.held), _what(one), _whose(one)) for one in row.rows(approvals)]


def does(held: Approval) -> str:
    """What an approval is for, in a few words."""
    asked = held.request
    to = typed(asked.resource.type, asked.resource.id)
    return f"{name(asked.action.name)} {to}{tokens.brief(unmasking(held))}"


def needs(held: Approval) -> str:
    """The rules that ask for people, each with how far it is."""
    return ", ".join(f"{visible(one.rule)} {one.approved} of {one.count}" for one in held.requirements)


def _what(one: row.Row) -> str:
    """What an unmasking opens, and the leaves that are shown."""
    shown = [f"{leaf.label} = {row.cut(leaf)}" for leaf in one.shown]
    mark = f"digest {one.mark.visible}…" if one.mark else ""
    return ", ".join(filter(None, [tokens.opened(one.opens), *shown, mark]))


def _whose(one: row.Row) -> str:
    (subject,) = one.named[Part.WHO]
    chain = "".join(f" for {principal.text}" for principal in one.named[Part.FOR])
    return f"{subject.text}{chain}{f', asked by {one.caller.name}' if one.caller is not None else ''}"
