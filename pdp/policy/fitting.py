"""Which default to print for a value that may be absent: one of the kind that its place takes. Pure."""

from collections.abc import Iterator, Mapping

from pdp.policy.module import Node

ANY = '"unknown"'
"""What is printed for a text, and for a place that takes anything."""
_KEYS: Mapping[str, str] = {
    "count": "1",
    "pending_for": '"4h"',
    "valid_for": '"15m"',
    "individual": "true",
    "individual_every": '"30s"',
    "unmask_values": "1",
    "summary": '["resource.id"]',
    "channels": '["api", "web"]',
    "channels[]": '"web"',
    "passkey": "true",
    "remind": '["30m"]',
    "remind[]": '"30m"',
    "properties": "{}",
    "reviewers": '{"groups": ["data-owners"]}',
    "reviewers.groups": '["data-owners"]',
    "reviewers.groups[]": '"data-owners"',
    "reviewers.identities": '["user:alice"]',
    "reviewers.identities[]": '"user:alice"',
    "reviewers.claims": '{"team": "data-owners"}',
}
"""The default by the path in an entry; for other paths it is a text."""
_ARGUMENTS: Mapping[tuple[str, int], str] = {
    **{(name, 0): "[]" for name in ("count", "sum", "max", "min", "sort")},
    ("concat", 1): "[]",
    **{(name, side): "0" for name in ("plus", "minus", "mul", "div", "rem") for side in (0, 1)},
}
"""The default by the builtin and its argument; for others it is what the place of the call takes."""


def of_argument(name: str, at: int) -> str:
    """The default for an argument of a builtin."""
    return _ARGUMENTS.get((name, at), ANY)


def places(entry: Node, path: str = "") -> Iterator[tuple[Node, str]]:
    """Each part of an entry that is not an object or a list written out, and the default that fits there."""
    match entry:
        case {"type": "object", "value": list(pairs)}:
            for key, value in pairs:
                yield key, ANY
                step = str(key.get("value"))
                yield from places(value, f"{path}.{step}" if path else step)
        case {"type": "array" | "set", "value": list(items)}:
            for item in items:
                yield from places(item, f"{path}[]")
        case _:
            yield entry, _KEYS.get(path, ANY)
