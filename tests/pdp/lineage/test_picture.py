import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.lineage.picture import Arrow, Box, Picture, dot, mermaid, svg

SMALL = Picture(
    {
        "crm": Box("postgres://crm:5432 crm.public.customers", ["email: pii"]),
        "mart": Box("postgres://dw:5432 mart.customers", ["email: pii:masked"], is_marked=True),
    },
    [Arrow("crm", "mart", "masked"), Arrow("crm", "gone")],
)
HOSTILE = [
    '"];}\n digraph x {',
    "</text><script>alert(1)</script>",
    "<a href='http://x'>&amp;",
    'a"]\n click n0 "javascript:alert(1)"',
    "`**x**` %%{init: {}}%% |x|",
    "\u202ereversed\u0000\ufffe",
    "x" * 500,
    "back\\slash\\",
]


def test_picture_for_graphviz() -> None:
    assert dot(SMALL).splitlines() == [
        "digraph lineage {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="sans-serif"];',
        '  n0 [label="postgres://crm:5432 crm.public.customers\\nemail: pii"];',
        '  n1 [label="postgres://dw:5432 mart.customers\\nemail: pii:masked", penwidth=3];',
        '  n0 -> n1 [label="masked"];',
        "}",
    ]


def test_picture_for_mermaid() -> None:
    assert mermaid(SMALL).splitlines() == [
        "flowchart LR",
        '  n0["postgres://crm:5432 crm.public.customers<br/>email: pii"]',
        '  n1["postgres://dw:5432 mart.customers<br/>email: pii:masked"]',
        '  n0 -->|"masked"| n1',
        "  style n1 stroke-width:4px",
    ]


def test_picture_as_svg_is_xml_with_boxes_from_left_to_right() -> None:
    root = ET.fromstring(svg(SMALL))  # noqa: S314 - our own
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        "masked",
        "postgres://crm:5432 crm.public.customers",
        "email: pii",
        "postgres://dw:5432 mart.customers",
        "email: pii:masked",
    ]
    boxes = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("rx")]
    assert int(boxes[0].get("x", "")) < int(boxes[1].get("x", ""))


def picture(text: str) -> Picture:
    return Picture({text: Box(text, [text]), "b": Box("b")}, [Arrow(text, "b", text), Arrow("b", text, text)])


@pytest.mark.parametrize("text", HOSTILE)
def test_name_of_others_adds_nothing_but_its_text(text: str) -> None:
    drawn = picture(text)
    for line in dot(drawn).splitlines()[3:-1]:
        assert re.fullmatch(r'  n\d( -> n\d)?( \[label="(?:[^"\\]|\\.)*"\])?;', line)
    for line in mermaid(drawn).splitlines()[1:]:
        assert re.fullmatch(r'  n\d(\["[^"`]*"\]| -->\|"[^"`|]*"\| n\d)', line)
    kinds = {one.tag.rpartition("}")[2] for one in ET.fromstring(svg(drawn)).iter()}  # noqa: S314 - our own
    assert kinds == {"svg", "rect", "defs", "marker", "path", "line", "text"}


keys = st.sampled_from("abcde")


@given(st.dictionaries(keys, st.builds(Box, st.text()), max_size=5), st.lists(st.builds(Arrow, keys, keys, st.text())))
def test_any_piece_of_a_graph_can_be_drawn(boxes: dict[str, Box], arrows: list[Arrow]) -> None:
    drawn = Picture(boxes, arrows)
    root = ET.fromstring(svg(drawn))  # noqa: S314 - our own
    assert len([one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("rx")]) == len(boxes)
    assert dot(drawn).endswith("}\n")
    assert mermaid(drawn).startswith("flowchart LR\n")
