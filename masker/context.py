"""What a method gets beside its values: the keys of this thread and the facts of this column."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from masker.errors import KeyRefused
from masker.kernels import prf, siv
from masker.kernels.column import Flags
from masker.keys import Keyring
from masker.spec import Spec

T = TypeVar("T")
Days = tuple[NDArray[np.int64], Flags]
"""The shift of each row in days, and whether its entity gave one."""


class KeySchedules:
    """The ciphers of one thread, each made at its first use. A cipher context belongs to one thread."""

    def __init__(self, keys: Keyring | None) -> None:
        self._keys = keys
        self._made: dict[tuple[str, ...], Any] = {}

    @property
    def keys(self) -> Keyring:
        """The keyring; raises KeyRefused where none was given."""
        if self._keys is None:
            raise KeyRefused("the plan needs keys and none were given")
        return self._keys

    def token_key(self, spec: Spec, version: int) -> siv.TokenKey:
        """The token key of a domain."""
        key = self.keys.derive(spec.domain, "token", version)
        return siv.TokenKey(key, spec["kind"], self.keys.key_id(spec.domain, version), spec.get("pad_to") or 0)

    def readable(self, spec: Spec) -> list[siv.TokenKey]:
        """The token keys of every version that may still be read."""
        return [self.token_key(spec, version) for version in self.keys.key_ids(spec.domain).values()]

    def sealer(self, spec: Spec, version: int) -> siv.Sealer:
        """What seals the tokens of a domain."""
        name = ("token", spec.domain, spec["kind"], str(spec.get("pad_to")), str(version))
        return self._once(name, lambda: siv.Sealer(self.token_key(spec, version)))

    def prf(self, spec: Spec, version: int) -> prf.Prf:
        """The one-way function of a pseudonym or date_shift domain."""
        name = (spec.mask, spec.domain, str(version))
        return self._once(name, lambda: prf.Prf(self.keys.derive(spec.domain, spec.mask, version)))

    def _once(self, name: tuple[str, ...], make: Callable[[], T]) -> T:
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made


@dataclasses.dataclass(frozen=True)
class Context:
    """What a method gets beside its values.

    1. `version` is the key version to mask with, or the one that masked `fpe` values. 0 where no key is involved.
    2. `days` is set for date_shift only.
    3. `per_day` is set for dates and timestamps only: how many of their counts make one day.
    4. `is_instant` is set for timestamps with a time zone only.
    """

    schedules: KeySchedules
    version: int
    days: Days | None = None
    per_day: int = 0
    is_instant: bool = False
