"""What is wrong with a configuration, for those who wrote it: each field, in words about the file. Pure."""

from collections.abc import Iterable
from typing import Any

_TOLD = {
    "extra_forbidden": "there is no such field; correct its name, or leave it out",
    "missing": "it is missing; give it a value",
}
"""By the library's kind of error, where its own words are about programs."""


def unread(error: OSError | ValueError) -> str:
    """Why a configuration was not read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file; name another with --config, or PDP_CONFIG"
    if isinstance(error, OSError):
        return f"{error.strerror}; name a file that this user may read with --config, or PDP_CONFIG"
    return "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else f"it is not TOML: {error}"


def fields(errors: Iterable[Any]) -> list[str]:
    """A sentence for each of the library's errors; what is wrong with several fields together names none."""
    found = []
    for item in errors:
        sentence = _TOLD.get(item["type"]) or item["msg"].removeprefix("Value error, ")
        found.append(": ".join(filter(None, (".".join(map(str, item["loc"])), sentence))))
    return found
