"""What the page shows of a request, line by line, and what proves that a browser displayed just that. Pure.

1. The page's script computes the proof from the text that it finds on the page, after it compared each line with the
   canonical bytes. So an approval comes from a browser that ran it; a page without scripts cannot approve.
2. The proof is the base64url SHA-256 of `placet/<realm>/displayed/v1`, the digest, the version and the digest of what
   is known of the data, then the label and the text of each line, all ended by line feeds.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from pdp.assertion import encoded
from pdp.canonical import Canonical
from pdp.v1.request_pb2 import Request
from pdp.view.request import Item, Named, items
from pdp.visible import foreign, visible

MOST_EDITED = 40_000
"""Bytes of a request that the form offers to edit, percent-encoded as a browser sends it: a form takes 64 KiB."""
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._ ")


class Line(NamedTuple):
    """One line of a request. Both texts are visible already; `note` is ours."""

    label: str
    text: str
    is_name: bool
    note: str


def line(item: Item) -> Line:
    """The line of an item; its note says what a hash stands for, and which characters are not ASCII."""
    is_name = isinstance(item, Named)
    label, text = (item.part.value, item.text) if isinstance(item, Named) else (item.label, item.text)
    notes = [] if isinstance(item, Named) or not item.stands_for else [f"stands for {item.stands_for}"]
    return Line(label, text, is_name, "; ".join(filter(None, [*notes, foreign(f"{label} {text}")])))


def lines(shown: Iterable[Item]) -> tuple[Line, ...]:
    """The lines of a request."""
    return tuple(map(line, shown))


def proof(realm: str, asked: Request, digest: str, version: int, lineage: str) -> str:
    """What the script of a page sends that displayed this request."""
    said = (f"placet/{realm}/displayed/v1", digest, str(version), lineage, *_texts(asked))
    return encoded(sha256("".join(f"{one}\n" for one in said).encode()).digest())


def in_base64(found: Canonical) -> str:
    """The canonical bytes as a page holds them, unchanged by any escaping."""
    return b64encode(found.json).decode()


def editable(found: Canonical) -> str:
    """The request as JSON to edit, hidden characters as escapes; empty where a form could not send it back."""
    text = json.dumps(found.members, indent=2, ensure_ascii=False)
    is_plain = text.isascii() and "\x7f" not in text
    escaped = text if is_plain else "".join(map(_escaped, text))
    return escaped if sum(1 if byte in _SAFE else 3 for byte in escaped.encode()) <= MOST_EDITED else ""


def _texts(asked: Request) -> Iterator[str]:
    for one in lines(items(asked)):
        yield from (one.label, one.text)


def _escaped(character: str) -> str:
    if character in '\n\\"' or visible(character) == character:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
