"""Column paths: `address.zip`, `emails[]`, odd keys as `["a.b"]`, or as they are where nothing else looks so."""

import json
import re

ITEM = None
"""The step into a list, written `[]`."""

Step = str | None
Path = tuple[Step, ...]

_PLAIN = re.compile(r"[^.\[\]\"\s]+")
_TOKEN = re.compile(r'\[\]|\["(?:[^"\\]|\\.)*"\]|\.?[^.\[\]"\s]+')


def render(path: Path) -> str:
    """Write a path. There is only one way to write each."""
    text = ""
    for step in path:
        if step is ITEM:
            text += "[]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def plainly(path: Path) -> str:
    """Write a path without quotes: what people write for `First Name`. Two paths may look alike so."""
    return "".join("[]" if step is ITEM else f".{step}" for step in path).removeprefix(".")


def parse(text: str) -> Path | None:
    """Return the steps of a path in writing; None where `render` would write it differently."""
    steps: list[Step] = []
    for token in _TOKEN.findall(text):
        if token == "[]":  # noqa: S105 - a path
            steps.append(ITEM)
        elif token.startswith("["):
            steps.append(_quoted(token[1:-1]))
        else:
            steps.append(token.removeprefix("."))
    path = tuple(steps)
    return path if path and render(path) == text else None


def _quoted(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return ""
