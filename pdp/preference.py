"""How a person chose to be told: what is stored of it, and how it is signed. Pure.

It can keep messages from a person. So it carries a signature by the key `seal` over its whole content, with a `typ` of
its own. A check signs again and compares, so a choice that was written into the database by hand does not count.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from joserfc.jwk import OKPKey

from pdp import jws


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What a person chose, and when by MongoDB's clock.

    `muted` are the channels in which the person wants no message, in order. `quiet` are hours as `Quiet` reads them;
    empty where the person wants none.
    """

    identity: str
    muted: tuple[str, ...]
    quiet: str
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class PreferenceSealer:
    """Signs preferences with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def preference(self, preference: Preference) -> Preference:
        """The preference with its signature."""
        claims = {
            "realm": self.realm,
            "identity": preference.identity,
            "muted": list(preference.muted),
            "quiet": preference.quiet,
            "at": preference.at.isoformat(timespec="milliseconds"),
        }
        return replace(preference, seal=jws.signed("placet-preference+jwt", claims, self.key))

    def is_ours(self, stored: Preference) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        return hmac.compare_digest(self.preference(stored).seal.encode(), stored.seal.encode())
