"""Why a file that a configuration names cannot be read, and what to do. Pure."""

from pathlib import Path

_MISSING = "put it there, or correct its name"


def unread(path: Path, error: OSError) -> str:
    """One sentence about the file, with the system's reason."""
    if isinstance(error, PermissionError):
        mend = "let the user of this process read it"
    elif isinstance(error, IsADirectoryError):
        mend = "name a file in it"
    else:
        mend = _MISSING
    return f"{path} cannot be read: {error.strerror}; {mend}"
