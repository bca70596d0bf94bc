r"""Makes foreign text safe to show to people: characters that could deceive them become visible.

1. A hidden character is shown as `\u{…}`, and a backslash is doubled, so that neither can be taken for the other.
2. Two different texts look different.
"""

import re
import unicodedata
from collections.abc import Iterator

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
_MARKS = {"Mn", "Me", "Mc"}
_BLANK = (
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC, 0x16FE4, 0x1D159),
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
)
"""Fillers, blanks and variation selectors. They are drawn as nothing, or they change the character beside them."""
_HIDDEN = frozenset(map(chr, _BLANK))
_PLAIN_NAME = re.compile(r"[!#-\[\]-~]+")  # printable ASCII without space, quote and backslash
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_MARKS = 2
"""Combining marks that are drawn on one character; more than two pile up and could cover other text."""
MAX_NOTED = 8
"""Characters outside ASCII that the note behind a line names; it bounds the length of the note."""
_CONTINUED = "    ... "


def visible(text: str) -> str:
    """`text` on one line, without control, bidi, zero-width, tag, blank or unassigned characters and piled-up marks."""
    composed, shown, marks = unicodedata.is_normalized("NFC", text), [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        hidden = (category in _HIDDEN_CATEGORIES and character != " ") or character in _HIDDEN
        if hidden or marks > MAX_MARKS or (marks and not composed):
            shown.append(f"\\u{{{ord(character):x}}}")
        else:
            shown.append("\\\\" if character == "\\" else character)
    return "".join(shown)


def quoted(text: str) -> str:
    """`text` in quotes."""
    return '"' + visible(text).replace('"', '\\"') + '"'


def name(text: str) -> str:
    """An id as it is, if it cannot be mistaken for anything else; otherwise in quotes."""
    return text if _PLAIN_NAME.fullmatch(text) else quoted(text)


def typed(kind: str, identifier: str) -> str:
    """`<type>:<id>`. A type with a colon is in quotes, so that it does not look like another type and id."""
    return f"{quoted(kind) if ':' in kind else name(kind)}:{name(identifier)}"


def step(key: str) -> str:
    """A key as the next step of a path: `.rows`, or `["any.other"]`."""
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{quoted(key)}]"


def printable(text: str) -> str:
    """A text of our own that may quote other text: its lines stay lines, and hidden characters in them are shown."""
    return "\n".join(visible(line).replace("\\\\", "\\") for line in text.split("\n"))


def wrapped(text: str, columns: int) -> str:
    """`text` in lines of at most `columns`, with a mark at each break that we make.

    If the terminal broke a line, the rest could look like a line of its own.
    """
    return "\n".join(part for line in text.split("\n") for part in _parts(line, max(columns, 2 * len(_CONTINUED))))


def shortened(text: str, most: int) -> str:
    """At most `most` characters of `text` in its visible form, and the note of its characters outside ASCII."""
    shown = visible(text)
    cut, note = shown if len(shown) <= most else f"{shown[: most - 1]}…", foreign(shown)
    return f"{cut}  ({note})" if note else cut


def noted(line: str) -> str:
    """A visible line, and the note of its characters outside ASCII."""
    note = foreign(line)
    return f"{line}  ({note})" if note else line


def foreign(line: str) -> str:
    """The note of the characters outside ASCII of a visible line, which may look like others; empty without any."""
    found = list(dict.fromkeys(character for character in line if not character.isascii()))
    if not found:
        return ""
    named = ", ".join(f"{character} U+{ord(character):04X}" for character in found[:MAX_NOTED])
    more = f" and {len(found) - MAX_NOTED} more" if len(found) > MAX_NOTED else ""
    return f"not ASCII: {named}{more}"


def _parts(line: str, columns: int) -> Iterator[str]:
    room, part = columns, ""
    for character in line:
        width = 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
        if width > room:
            yield part
            part = _CONTINUED
            room = columns - len(part)
        part += character
        room -= width
    yield part
