"""A checked policy on its way from the process that builds it to the workers that decide by it: one file a revision.

1. The file is there, as a whole, before OPA can have the revision. The revision is the hash of all files of a policy,
   so an answer of a handed revision is by the checked rules, data and domains.
2. A worker refuses an answer of a revision that was not handed to it.
3. A worker takes the schemas of the revision that answers. For a minute after it took others, each request that was
   decided is checked again: it may have been checked by those of before.
"""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pdp.errors import EngineUnavailable
from pdp.policy.attributes import Attributes
from pdp.policy.live import LOADING_SECONDS, Policy, WatchedPolicy
from pdp.policy.place import Rules
from pdp.policy.schema import Schemas

KEPT_FILES = 64
"""Revisions that are kept for workers. OPA goes back to an older one only if it refuses so many new ones."""
KEPT_REVISIONS = 4
"""Revisions whose schemas a worker keeps compiled."""
AGAIN_SECONDS = 60.0
"""Seconds after a change in which what was decided is checked again: more than a call takes from check to answer."""
_REVISION = re.compile(r"[0-9a-f]{64}")


class HandingPolicy(WatchedPolicy):
    """A policy that is handed to workers, and that several OPAs load. Its files lie beside the folder of the bundle."""

    opas = 1
    """How many OPAs load the bundle."""

    @property
    def folder(self) -> Path:
        """Where workers find what is handed to them."""
        return self.bundle.resolve().parents[1] / "handed"

    def hand_on(self, revision: str, found: Schemas, rules: Rules) -> None:
        """Write the file of this revision, and remove the oldest ones beyond `KEPT_FILES`."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        part = self.folder / f".{revision}"
        part.write_text(json.dumps({"schemas": found._asdict(), "rules": rules}))
        part.replace(self.folder / revision)
        files = sorted(self.folder.glob("[0-9a-f]" * 64), key=lambda file: file.stat().st_mtime)
        for old in files[:-KEPT_FILES]:
            old.unlink()

    def loading(self) -> None:
        """Tell the workers that their OPA may be slow."""
        super().loading()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for number in range(self.opas):
            _loading(self.folder, number).touch()

    def loaded(self) -> None:
        """Tell the workers that each OPA is as fast as before."""
        super().loaded()
        for number in range(self.opas):
            self.loaded_by(number)

    def loaded_by(self, number: int) -> None:
        """One OPA has loaded a policy, or has refused it."""
        _loading(self.folder, number).unlink(missing_ok=True)


class HandedPolicy(Policy):
    """The policy of a worker: that of the revision by which its OPA answers."""

    def __init__(self, folder: Path, opa: int, changed: Callable[[], None]) -> None:
        """`opa` is the number of the worker's OPA. `changed` is called when another revision answers."""
        super().__init__()
        self._folder, self._loading, self._changed = folder, _loading(folder, opa), changed
        self._known: OrderedDict[str, tuple[Attributes, Rules]] = OrderedDict()
        self._since = float("-inf")
        self._revision: str | None = None
        self._lacking: str | None = None

    @property
    def problem(self) -> str:
        """Why this worker may not decide by the policy that OPA has."""
        return "" if self._lacking is None else _not_handed(self._lacking)

    @property
    def is_loading(self) -> bool:
        """Whether the process that builds the policy says that this worker's OPA may load another now."""
        try:
            return time.time() < self._loading.stat().st_mtime + LOADING_SECONDS
        except OSError:
            return False

    def take(self, revision: str) -> None:
        """Go on with the schemas of this revision, which has answered. Raises `EngineUnavailable` without them."""
        if revision == self._revision and self._lacking is None:
            return
        found = self._known.get(revision) or self._read(revision)
        self._known[revision] = found
        while len(self._known) > KEPT_REVISIONS:
            self._known.popitem(last=False)
        if self._revision is not None:
            self._since = time.monotonic()
        self.attributes, self._rules = found
        self._revision, self._lacking = revision, None
        self._changed()

    @property
    def has_just_changed(self) -> bool:
        """Whether a request that is decided now may have been checked by the schemas of another revision."""
        return time.monotonic() < self._since + AGAIN_SECONDS

    def require_fitting(self, request: Mapping[str, Any]) -> None:
        """Raise `EngineUnavailable` if a canonical request, decided by this revision, does not fit its schemas."""
        if self.faults(request):
            raise EngineUnavailable("the policy changed while it was asked; nothing was allowed, ask again")

    def _read(self, revision: str) -> tuple[Attributes, Rules]:
        named = revision if _REVISION.fullmatch(revision) else "no-revision"
        try:
            handed = json.loads((self._folder / named).read_bytes())
            return Attributes(Schemas(**handed["schemas"])), handed["rules"]
        except (OSError, ValueError, LookupError, TypeError):
            self._lacking = revision
            raise EngineUnavailable(_not_handed(revision)) from None


def _not_handed(revision: str) -> str:
    return f"this worker was not handed the policy {revision[:12]} by which OPA answers; nothing is allowed"


def _loading(folder: Path, opa: int) -> Path:
    """A file that is there while an OPA may load another policy."""
    return folder / f"loading-{opa}"
