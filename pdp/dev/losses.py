"""Says once of each caller that its library may lose what its program says."""

from collections.abc import Callable
from typing import Any

from pdp.v1.decision_pb2 import AuthorizeRequest


class Losses:
    """Hears of requests without an `expected_digest`, and says so of the first from each caller with an empty Struct.

    Some libraries make one of attributes that they do not understand. Who has none to send leaves the Struct out.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._told = say, set[str]()

    def __call__(self, request: AuthorizeRequest, caller: str) -> None:
        """Look at a request of this caller."""
        empty = [path for path, is_empty in _structs(request) if is_empty]
        if empty and caller not in self._told:
            self._told.add(caller)
            self._say(
                f"{caller!a} sends an empty {' and '.join(empty)} and no expected_digest: its library may have lost "
                "what its program said; see docs/wire.md"
            )


def _structs(request: AuthorizeRequest) -> list[tuple[str, bool]]:
    """Each place of attributes, and whether an empty Struct came for it."""
    parts: dict[str, Any] = {"subject": request.subject, "action": request.action, "resource": request.resource}
    parts |= {f"on_behalf_of[{index}]": subject for index, subject in enumerate(request.on_behalf_of)}
    found = [
        (f"{name}.properties", part.HasField("properties") and not part.properties.fields)
        for name, part in parts.items()
    ]
    return [*found, ("context", request.HasField("context") and not request.context.fields)]
