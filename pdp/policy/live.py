"""The policy in force. Its folders are built into the bundle that OPA loads, again whenever they change."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from watchfiles import awatch

from pdp import metrics
from pdp.errors import PdpError
from pdp.policy.apart import built_beside
from pdp.policy.attributes import Attributes
from pdp.policy.place import Rules, place
from pdp.policy.schema import Schemas

LOADING_SECONDS = 120.0
"""Seconds after which a policy counts as loaded, if OPA says nothing."""

UsedDomains: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns the domains that were ever used, as they were declared then."""


class Policy:
    """The parts of the policy that the server itself needs; OPA holds the rules."""

    def __init__(self) -> None:
        self.attributes = Attributes(Schemas())
        self._rules: Rules = {}
        self._loading_until = 0.0

    @property
    def problem(self) -> str:
        """Why this process may not decide by the policy that OPA has; empty while it may."""
        return ""

    @property
    def is_loading(self) -> bool:
        """Whether another policy is being built or loaded, so that OPA may be slow."""
        return time.monotonic() < self._loading_until

    def loading(self) -> None:
        """Another policy is built from now on, which OPA loads then."""
        self._loading_until = time.monotonic() + LOADING_SECONDS

    def loaded(self) -> None:
        """OPA has loaded a policy, or has refused it."""
        self._loading_until = 0.0

    def place(self, file: str, line: int) -> str:
        """OPA's place in the bundle as the author knows it."""
        return place(file, line, self._rules)

    def faults(self, request: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the schemas in force say against a canonical request, as `Attributes.faults`."""
        return self.attributes.faults(request)


class WatchedPolicy(Policy):
    """Folders of Rego and data that are built together with the core.

    1. After a broken edit the faults are shown, and the last good policy stays in force.
    2. The files are read once for each build: rules, schemas and domains in force are of the same files.
    3. A domain that was ever used, or was in force in this process, cannot change.
    """

    def __init__(
        self,
        opa: Path,
        folders: Sequence[Path],
        bundle: Path,
        say: Callable[[str], None],
        used_domains: UsedDomains,
        types: Collection[str] = (),
    ) -> None:
        """`types` are those of the identities that the configuration knows."""
        super().__init__()
        self._types = types
        self._opa, self._folders, self._say, self._used_domains = opa, folders, say, used_domains
        self.bundle = bundle
        self._domains: Mapping[str, Any] = {}

    async def build(self) -> str:
        """Check and build the policy and return its revision.

        Raises `SetupError` that names every fault; nothing changes then.
        """
        in_force = {**self._domains, **await self._used_domains()}
        work = self.bundle.resolve().parents[1]
        ready = work / self.bundle.name
        done = await built_beside(self._opa, self._folders, ready, work, in_force, self._types)
        attributes = Attributes(done.schemas)
        self.hand_on(done.revision, done.schemas, done.rules)
        ready.replace(self.bundle)
        self._domains, self.attributes, self._rules = {**self._domains, **done.domains}, attributes, done.rules
        for warning in done.warnings:
            self._say(f"warning: {warning}")
        return done.revision

    def hand_on(self, revision: str, found: Schemas, rules: Rules) -> None:
        """A policy was checked and built; OPA gets it after this call."""

    async def watch(self) -> None:
        """Build again at every change, until cancelled."""
        async for _ in awatch(*self._folders):
            self.loading()
            try:
                revision = await self.build()
            except (PdpError, OSError) as error:  # MongoDB is away, or an editor removed a file while it was read
                self.loaded()
                metrics.POLICY_REFUSED.at().add()
                self._say(f"{error}\nThe last good policy stays in force.")
            else:
                self._say(f"policy built, revision {revision[:12]}")
