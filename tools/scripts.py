"""Write pdp/policy/scripts.txt, the table of scripts by which texts that mix them are found.

fontTools brings the Unicode Character Database of its release. Nothing else needs it, so `make gen` does not run this.
The table is that of fontTools 4.68.0, with Unicode 18.0.0:

    python -m venv scripts-venv && scripts-venv/bin/pip install fonttools==4.68.0
    scripts-venv/bin/python tools/scripts.py
"""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

TABLE = Path(__file__).parents[1] / "pdp" / "policy" / "scripts.txt"
HEAD = """\
# Scripts of characters, for UTS 39: the values of Scripts.txt and ScriptExtensions.txt of the Unicode Character
# Database 18.0.0, of Unicode, Inc. (www.unicode.org/copyright.html), as the package fontTools 4.68.0 has them.
# tools/scripts.py writes this file. A line has a script (or scripts with + between them, for characters that occur in
# each) and its code points. Common, Inherited and Unknown are left out: they go with every script.
"""
_EVERY = {"Zyyy", "Zinh", "Zzzz"}
"""Common, Inherited and Unknown."""
_CODES = 0x110000


def table(scripts: Callable[[str], set[str] | frozenset[str]]) -> str:
    """The whole file, from a function that tells the scripts of a character by their ISO 15924 codes."""
    codes: dict[str, list[int]] = {}
    for code in range(_CODES):
        found = scripts(chr(code))
        if found and not found & _EVERY:
            codes.setdefault("+".join(sorted(found)), []).append(code)
    return HEAD + "".join(f"{name} {' '.join(_ranges(codes[name]))}\n" for name in sorted(codes))


def _ranges(codes: list[int]) -> Iterator[str]:
    first = last = codes[0]
    for code in [*codes[1:], _CODES + 1]:
        if code != last + 1:
            yield f"{first:X}" if first == last else f"{first:X}-{last:X}"
            first = code
        last = code


if __name__ == "__main__":
    TABLE.write_text(table(importlib.import_module("fontTools.unicodedata").script_extension))
