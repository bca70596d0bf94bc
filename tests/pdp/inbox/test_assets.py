"""Only what lies in the folder is served, each with its own type, and scripts name nothing from elsewhere."""

import re
from pathlib import Path

import pdp.inbox
from pdp.inbox import assets
from tests.browser import browser
from tests.parts import Placet

FOLDER = Path(pdp.inbox.__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}


async def test_each_file_is_served_to_everybody_with_its_type(server: Placet) -> None:
    async with browser(server.http) as stranger:
        for route in assets.routes():
            shown = await stranger.get(route.path) if not route.path.endswith(".png") else None
            name = route.path.rpartition("/")[2]
            if shown is not None:
                assert shown.text == (FOLDER / name).read_text()
                assert shown.headers["Content-Type"] == f"{TYPES[Path(name).suffix]}; charset=utf-8"
                assert shown.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/inbox/static/", "/inbox/static/nothing.js", "/inbox/static/..%2flook.py", "/inbox/static/../me"):
            assert "import" not in (await stranger.get(path)).text


def test_files_are_of_known_kinds_and_all_are_served() -> None:
    assert {path.suffix for path in FOLDER.iterdir()} <= TYPES.keys()
    assert len(assets.routes()) == len(list(FOLDER.iterdir()))


def test_scripts_import_one_another_only_and_make_no_markup() -> None:
    for path in FOLDER.glob("*.js"):
        text = path.read_text()
        assert all((FOLDER / name).exists() for name in re.findall(r'from "\./([a-z_]+\.js)"', text)), path
        assert not re.search(
            r'from "(?!\./)|[^.]import\([^"]|import\("(?!\./)|innerHTML|outerHTML|insertAdjacentHTML|eval\(|Function\(',
            text,
        )
