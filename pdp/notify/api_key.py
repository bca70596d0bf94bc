"""The token by which lineage is forwarded, from a file."""

import re
from pathlib import Path

from pdp.errors import SetupError
from pdp.keys import secret

_TOKEN = re.compile(r"[!-~]{1,16384}")


def api_key(path: Path) -> str:
    """Read it. Raises `SetupError` if the file holds none, or if others may read the file."""
    content = secret(path)
    try:
        text = content.decode().strip()
    except ValueError:
        text = ""
    if not _TOKEN.fullmatch(text):
        raise SetupError(f"{path} holds no API key: one line of printable ASCII without blanks")
    return text
