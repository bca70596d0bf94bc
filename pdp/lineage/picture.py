"""A piece of the graph as a picture: Graphviz, Mermaid, or an SVG that stands alone.

Names come from outside. They are shown as `visible` shows them, escaped for each notation, and can add nothing to a
picture but their own text. An SVG has no scripts, links, styles or anything that a viewer would fetch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pdp.visible import visible

MAX_CHARACTERS = 60
"""Characters of a line in a picture; a longer one is cut at its front, because the ends of names tell them apart."""
_WIDTH, _LINE, _GAP, _MARGIN = 420, 18, 60, 20
"""Pixels of an SVG: of a box's width, a line's height, between boxes, and around all."""
_FONT, _BOLD = 'font-family="sans-serif" font-size="13"', ' font-weight="bold"'
_TIP = (
    '<marker id="end" markerWidth="10" markerHeight="8" refX="9" refY="4" orient="auto">'
    '<path d="M0 0L10 4L0 8z" fill="#555"/></marker>'
)
_MERMAID = {ord(character): f"#{ord(character)};" for character in "\"#&'<>[]{}()`|;\\%"}


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its name, and what is said of it below, a line each."""

    name: str
    notes: Sequence[str] = ()
    is_marked: bool = False
    """Whether it is the one that was asked about."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge between two boxes, by their keys, with a word on it."""

    tail: str
    head: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes by key, and arrows between them; an arrow from or to a key without a box is left out."""

    boxes: Mapping[str, Box]
    arrows: Sequence[Arrow] = ()


def dot(picture: Picture) -> str:
    """For Graphviz."""
    numbers = _numbers(picture)
    lines = ["digraph lineage {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for key, box in picture.boxes.items():
        label = "\\n".join(map(_quoted, _lines(box)))
        lines.append(f'  n{numbers[key]} [label="{label}"{", penwidth=3" if box.is_marked else ""}];')
    for arrow in _arrows(picture):
        label = f' [label="{_quoted(_line(arrow.note))}"]' if arrow.note else ""
        lines.append(f"  n{numbers[arrow.tail]} -> n{numbers[arrow.head]}{label};")
    return "\n".join([*lines, "}", ""])


def mermaid(picture: Picture) -> str:
    """For Mermaid, as Markdown pages show it."""
    numbers = _numbers(picture)
    lines = ["flowchart LR"]
    for key, box in picture.boxes.items():
        label = "<br/>".join(line.translate(_MERMAID) for line in _lines(box))
        lines.append(f'  n{numbers[key]}["{label}"]')
    for arrow in _arrows(picture):
        label = f'|"{_line(arrow.note).translate(_MERMAID)}"|' if arrow.note else ""
        lines.append(f"  n{numbers[arrow.tail]} -->{label} n{numbers[arrow.head]}")
    marked = [f"  style n{numbers[key]} stroke-width:4px" for key, box in picture.boxes.items() if box.is_marked]
    return "\n".join([*lines, *marked, ""])


def svg(picture: Picture) -> str:
    """An image by itself: sources at the left, and each box right of what it comes from."""
    places = _places(picture)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + _MARGIN
    height = max((places[key][1] + _height(box) for key, box in picture.boxes.items()), default=0) + _MARGIN
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" {_FONT}>',
        f'<rect {size} fill="white"/>',
        f"<defs>{_TIP}</defs>",
    ]
    parts += [_svg_arrow(arrow, picture, places) for arrow in _arrows(picture)]
    parts += [_svg_box(box, *places[key]) for key, box in picture.boxes.items()]
    return "\n".join([*parts, "</svg>", ""])


def _numbers(picture: Picture) -> dict[str, int]:
    return {key: number for number, key in enumerate(picture.boxes)}


def _arrows(picture: Picture) -> Iterator[Arrow]:
    return (one for one in picture.arrows if one.tail in picture.boxes and one.head in picture.boxes)


def _lines(box: Box) -> list[str]:
    return [_line(text) for text in (box.name, *box.notes)]


def _line(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= MAX_CHARACTERS else "…" + shown[1 - MAX_CHARACTERS :]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _height(box: Box) -> int:
    return _LINE * (1 + len(box.notes)) + _LINE


def _ranks(picture: Picture) -> dict[str, int]:
    """How many arrows lead to each box at most; of a circle, each arrow counts once."""
    ranks = dict.fromkeys(picture.boxes, 0)
    arrows = [one for one in _arrows(picture) if one.tail != one.head]
    for _ in range(min(len(picture.boxes), len(arrows))):
        higher = [one for one in arrows if ranks[one.head] <= ranks[one.tail] < len(picture.boxes) - 1]
        if not higher:
            break
        for one in higher:
            ranks[one.head] = max(ranks[one.head], ranks[one.tail] + 1)
    used = {rank: number for number, rank in enumerate(sorted(set(ranks.values())))}
    return {key: used[rank] for key, rank in ranks.items()}


def _places(picture: Picture) -> dict[str, tuple[int, int]]:
    """The upper left corner of each box."""
    tops, places = dict[int, int](), dict[str, tuple[int, int]]()
    for key, rank in _ranks(picture).items():
        top = tops.get(rank, _MARGIN)
        places[key] = (_MARGIN + rank * (_WIDTH + _GAP), top)
        tops[rank] = top + _height(picture.boxes[key]) + _GAP // 2
    return places


def _svg_box(box: Box, x: int, y: int) -> str:
    stroke = 3 if box.is_marked else 1
    frame = f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_height(box)}" rx="4" fill="#f6f6f6"'
    texts = (
        f'<text x="{x + 8}" y="{y + _LINE * (number + 1)}"{"" if number else _BOLD}>{escape(line)}</text>'
        for number, line in enumerate(_lines(box))
    )
    return "\n".join([f'{frame} stroke="#333" stroke-width="{stroke}"/>', *texts])


def _svg_arrow(arrow: Arrow, picture: Picture, places: Mapping[str, tuple[int, int]]) -> str:
    x1, y1 = places[arrow.tail][0] + _WIDTH, places[arrow.tail][1] + _height(picture.boxes[arrow.tail]) // 2
    x2, y2 = places[arrow.head][0], places[arrow.head][1] + _height(picture.boxes[arrow.head]) // 2
    line = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#555" marker-end="url(#end)"/>'
    if not arrow.note:
        return line
    return f'{line}<text x="{(x1 + x2) // 2}" y="{(y1 + y2) // 2 - 4}" fill="#555">{escape(_line(arrow.note))}</text>'
