"""What is wrong with a configuration file, in a sentence that says what to do."""

from collections.abc import Mapping
from typing import Any


def unread(error: OSError | ValueError) -> str:
    """Why the file was not read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "the file does not exist; name another with --config, or PDP_CONFIG"
    if isinstance(error, OSError):
        return f"{error.strerror}; name a file that this user may read with --config, or PDP_CONFIG"
    return "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else f"it is not TOML: {error}"


def told(item: Mapping[str, Any]) -> str:
    """A field and what is wrong with it, in our words where the library's are about programs."""
    unknown = "Placet has no field of this name; correct it, or leave it out"
    ours = {"extra_forbidden": unknown, "missing": "it is missing"}
    fault = ours.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")
    return ": ".join(filter(None, (".".join(map(str, item["loc"])), fault)))
