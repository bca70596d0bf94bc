"""`make languages`: builds and tests the client of each language against a running server, and types its README.

Run inside `pdp dev -- …`, which names the server. Arguments name some of the languages. A language whose tools are not
here is named and left out. Each needs its package registry where what it fetches is not on this machine yet.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.languages import cards, cpp, go, java, pages, rust, typescript


@dataclass(frozen=True, slots=True)
class Language:
    """What a language needs, libraries by the names of pkg-config, and what builds and tests all that is in it."""

    tools: Sequence[str]
    tried: Callable[[], None]
    libraries: Sequence[str] = ()

    def missing(self) -> list[str]:
        """What it needs and is not here; libraries are looked for where the tools are."""
        tools = [tool for tool in self.tools if not shutil.which(tool)]
        return tools or [name for name in self.libraries if not installed(name)]


def installed(library: str) -> bool:
    """Whether pkg-config, which has to be here, knows the library."""
    return subprocess.run(["pkg-config", "--exists", library], check=False).returncode == 0


LANGUAGES: Mapping[str, Language] = {
    "cards": Language(cards.TOOLS, cards.tried),
    "cpp": Language(cpp.TOOLS, cpp.tried, cpp.LIBRARIES),
    "go": Language(go.TOOLS, go.tried),
    "java": Language(java.TOOLS, java.tried),
    "pages": Language(pages.TOOLS, pages.tried),
    "rust": Language(rust.TOOLS, rust.tried),
    "typescript": Language(typescript.TOOLS, typescript.tried),
}


def main() -> None:
    """Try the languages."""
    for name in sys.argv[1:] or LANGUAGES:
        language, began = LANGUAGES[name], time.monotonic()
        if missing := language.missing():
            say(f"{name}: not on this machine, which lacks {', '.join(missing)}")
            continue
        language.tried()
        say(f"{name}: ok, {time.monotonic() - began:.0f} s")


def say(line: str) -> None:
    """To whoever runs this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
