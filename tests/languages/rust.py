"""The page for Rust: the program in it is built, and asks."""

from tests.documents import ROOT
from tests.languages.clients import read

TOOLS = ("cargo",)


def tried() -> None:
    """Type the page; what cargo compiles stays in `build`, because that takes a minute of CPU time."""
    read("rust", CARGO_TARGET_DIR=str(ROOT / "build" / "rust"))
