"""`make languages`: builds and tests the client of each language against a running server, and types its README.

Run inside `pdp dev -- …`, which names the server. Arguments name some of the languages. A language whose tools are not
here is named and left out. Each needs its package registry where what it fetches is not on this machine yet.
"""

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.languages import go, java, rust, typescript


@dataclass(frozen=True, slots=True)
class Language:
    """The commands that a language needs, and what builds and tests all that is written in it."""

    tools: Sequence[str]
    tried: Callable[[], None]


LANGUAGES: Mapping[str, Language] = {
    "go": Language(go.TOOLS, go.tried),
    "java": Language(java.TOOLS, java.tried),
    "rust": Language(rust.TOOLS, rust.tried),
    "typescript": Language(typescript.TOOLS, typescript.tried),
}


def main() -> None:
    """Try the languages."""
    for name in sys.argv[1:] or LANGUAGES:
        language, began = LANGUAGES[name], time.monotonic()
        missing = [tool for tool in language.tools if not shutil.which(tool)]
        if missing:
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
