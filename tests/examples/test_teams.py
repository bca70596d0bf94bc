"""The app for Teams: its manifest, the icons that it names, and the zip that the document makes of them."""

import json
import re
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.documents import text
from tests.examples.visit import EXAMPLES, ROOT

MANIFEST = json.loads((EXAMPLES / "teams-manifest.json").read_text())
SIZES = {"color": 192, "outline": 32}


def pixels(file: Path) -> tuple[int, set[bytes]]:
    """The width and height of a square PNG of 8-bit RGBA without filters, and the colours in it."""
    raw = file.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    width, height, *kind = struct.unpack(">IIBBBBB", raw[16:29])
    assert (width, kind) == (height, [8, 6, 0, 0, 0])
    at = raw.index(b"IDAT")
    rows = zlib.decompress(raw[at + 4 : at + 4 + int.from_bytes(raw[at - 4 : at])])
    each = 1 + 4 * width
    lines = [rows[begin : begin + each] for begin in range(0, len(rows), each)]
    assert {line[0] for line in lines} == {0}
    return width, {line[at : at + 4] for line in lines for at in range(1, each, 4)}


@pytest.mark.parametrize("kind", SIZES)
def test_icons_are_as_teams_wants_them(kind: str) -> None:
    size, colours = pixels(EXAMPLES / MANIFEST["icons"][kind])
    assert size == SIZES[kind]
    if kind == "outline":
        assert {colour[:3] for colour in colours} == {b"\xff\xff\xff"}, "white alone"
        assert b"\xff\xff\xff\0" in colours, "on nothing"
    else:
        assert bytes.fromhex(MANIFEST["accentColor"][1:] + "ff") in colours
        assert {colour[3] for colour in colours} == {255}


def test_bot_is_the_app_and_reads_nothing() -> None:
    assert [bot["botId"] for bot in MANIFEST["bots"]] == [MANIFEST["id"]]
    assert not {"webApplicationInfo", "authorization", "composeExtensions"} & set(MANIFEST)


def test_what_the_document_types_makes_the_apps_zip(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(EXAMPLES)
    blocks = re.findall(r"^ +```bash\n(.*?)^ +```$", text("docs/teams.md"), re.MULTILINE | re.DOTALL)
    typed = [block for block in blocks if "app" in block]
    assert len(typed) == 2
    for block in typed:
        subprocess.run(["bash", "-ec", block], cwd=tmp_path, check=True)
    with zipfile.ZipFile(tmp_path / "teams" / "placet.zip") as made:
        assert set(made.namelist()) == {"manifest.json", *MANIFEST["icons"].values()}
        assert made.read("manifest.json") == (ROOT / "examples/teams-manifest.json").read_bytes()
