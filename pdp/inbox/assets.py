"""What the pages are made with beside their HTML: style sheet, icon, and scripts, which are ES modules.

1. They need no session: the pages of failures have them, too. Nothing of a person or an approval is in them.
2. A page names its scripts as `/inbox/static/NAME.js`, and they import one another by `./NAME.js`.
"""

from pathlib import Path

from pdp.http.route import Answer, Entrance, Visit

STYLE = "/inbox/style.css"
SCRIPTS = "/inbox/static/"
_FOLDER = Path(__file__).with_name("static")
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}


def routes() -> list[Entrance]:
    """A route for each file of the folder, and none for anything else."""
    return [_route(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA]


def _route(path: Path) -> Entrance:
    content, media = path.read_bytes(), _MEDIA[path.suffix]

    async def answer(_: Visit) -> Answer:
        return Answer(content, media=media)

    return Entrance("GET", STYLE if path.name == "style.css" else SCRIPTS + path.name, answer)
