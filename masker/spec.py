"""A spec: one mask with its parameters, checked and complete. Equal specs are the same mask."""

import dataclasses
from functools import cached_property
from typing import Any

from masker.kernels import fpe


@dataclasses.dataclass(frozen=True)
class Spec:
    """One mask: `params` as declared, with defaults filled in; `domain` is empty where the mask has no key.

    `children` are (path, rule, spec): the masks of a JSON document by path, or of the two halves of an e-mail address.
    """

    mask: str
    domain: str = ""
    params: tuple[tuple[str, Any], ...] = ()
    children: tuple[tuple[str, str, "Spec"], ...] = ()

    def __getitem__(self, name: str) -> Any:
        return dict(self.params)[name]

    def get(self, name: str) -> Any:
        """Return a parameter; None where this mask does not have it."""
        return dict(self.params).get(name)

    @property
    def method(self) -> str:
        """The name of its method: the mask, and what a generalisation generalises to, as in `generalize.year`."""
        to = self.get("to")
        return self.mask if to is None else f"{self.mask}.{to}"

    @cached_property
    def form(self) -> fpe.Format:
        """The format of an `fpe` domain."""
        luhn = {"valid": fpe.LUHN_VALID, "invalid": fpe.LUHN_INVALID, None: None}[self["luhn"]]
        kept = (self["keep_prefix"], self["keep_suffix"])
        return fpe.Format(self["alphabet"], self["separators"], *kept, luhn=luhn, bits=self["aes"])

    @property
    def unfit_is_null(self) -> bool:
        """Whether a value that does not fit becomes null; otherwise it refuses the whole table."""
        return bool(self.get("unfit") == "null")

    @property
    def short_is_null(self) -> bool:
        """Whether a value that is too short to encrypt becomes null."""
        return bool(self.get("on_short") == "null")


KEEP = Spec("keep")
"""No mask at all: what unmask and rewrap do with a column that they leave alone."""
