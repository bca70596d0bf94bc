"""The TypeScript client: its README, which builds it, its style, its tests with the story of all languages.

And what another library of its language loses without a word.
"""

from tests.documents import ROOT
from tests.languages import proto_loader
from tests.languages.clients import ran, ran_beside_tls, read

TOOLS = ("node", "npm")
FOLDER = ROOT / "clients" / "typescript"


def tried() -> None:
    """Raise where something fails."""
    read("typescript")
    for script in ("lint", "test"):
        ran("npm", "run", "--silent", script, folder=FOLDER)
    ran_beside_tls("npm", "run", "--silent", "test:server", folder=FOLDER)
    proto_loader.tried(FOLDER / "build" / "test" / "server" / "proto-loader.js")
