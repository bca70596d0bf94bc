"""The scripts of the inbox's pages: their types, which stand in comments, what a linter finds, and their form."""

from tests.documents import ROOT
from tests.languages.clients import ran

TOOLS = ("node", "npm")
FOLDER = ROOT / "tools" / "javascript"


def tried() -> None:
    """Raise where something fails."""
    ran("npm", "ci", "--silent", "--no-audit", "--no-fund", folder=FOLDER)
    for script in ("types", "lint", "format"):
        ran("npm", "run", "--silent", script, folder=FOLDER)
