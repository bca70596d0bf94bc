"""What somebody was shown of data: kept with an approval and its reviews, and compared with what is known later. Pure.

What is kept is text: the base64 of the deflated JSON of the datasets, their columns and tags. Nothing is kept where
there was nothing to show.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pdp.canonical import jcs
from pdp.displayed import form
from pdp.lineage.view import State, View

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of JSON that are kept or read. Of more, only the tags and the digest are kept: any change counts as growth."""
NOTHING_TO_SHOW = (State.OFF, State.NONE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was shown; `columns` is None where there were too many of them to keep."""

    tags: frozenset[str] = frozenset()
    columns: Mapping[str, Sequence[str]] | None = field(default_factory=dict)
    digest: str = ""

    def covers(self, now: View) -> bool:
        """Whether each tag of now, and each of each column, was among what was shown."""
        if not {*now.tags} <= self.tags:
            return False
        if self.columns is None:
            return now.digest == self.digest
        return all({*tags} <= {*self.columns.get(name, ())} for name, tags in now.columns.items())

    def added(self, name: str, tags: Sequence[str]) -> list[str]:
        """The tags of a column that were not shown."""
        known = self.tags if self.columns is None else self.columns.get(name, ())
        return [tag for tag in tags if tag not in known]


def kept(view: View) -> str:
    """The text that keeps what a view shows."""
    if view.state in NOTHING_TO_SHOW:
        return ""
    text = _json(view)
    if len(text) > MAX_BYTES:
        text = jcs({"tags": [*view.tags], "digest": view.digest}, plain=True)
    return base64.b64encode(zlib.compress(text, 6)).decode()


def seen(text: str) -> Seen:
    """What a text keeps. One that no server wrote keeps nothing."""
    if not text:
        return Seen()
    try:
        unpacker = zlib.decompressobj()
        held: Any = orjson.loads(unpacker.decompress(base64.b64decode(text, validate=True), MAX_BYTES + 1))
        return Seen(frozenset(held["tags"]), held.get("columns"), held.get("digest", ""))
    except (ValueError, zlib.error, KeyError, TypeError):
        return Seen()


def _json(view: View) -> bytes:
    return form([dataset._asdict() for dataset in view.datasets], view.tags, view.columns)
