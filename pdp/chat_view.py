"""A view of an approval in a chat: what is stored of it, and how it is signed. Pure.

1. The view has 32 random bytes, and the database only their SHA-256. They are taken once.
2. A view is bound to one person and account, to the approval with its digest, version and lineage, to the verdicts
   that it offers, and to what was rendered. It carries a signature by the key `seal` over all of it, with a `typ` of
   its own: who writes to the database makes no view.
"""

import hmac
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from joserfc.jwk import OKPKey

from pdp import jws

TOKEN_BYTES = 32
"""Random bytes of a view's token."""
VIEW_COUNTS = timedelta(minutes=10)
"""The time for which a view takes a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """A view as it is stored: `id` is the hash of its token, `rendered` the digest of what is shown, in hex.

    `takes` are the verdicts that it offers, with a space between.
    """

    id: str
    identity: str
    account: str
    approval: str
    digest: str
    version: int
    lineage: str
    takes: str
    rendered: str
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class ChatViewSealer:
    """Signs views with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def view(self, view: ChatView) -> ChatView:
        """The view with its signature."""
        claims = {name: value for name, value in asdict(view).items() if name not in {"id", "at", "seal"}}
        claims |= {"view": view.id, "at": view.at.isoformat(timespec="milliseconds"), "realm": self.realm}
        return replace(view, seal=jws.signed("placet-chat-view+jwt", claims, self.key))

    def is_ours(self, stored: ChatView) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        return hmac.compare_digest(self.view(stored).seal.encode(), stored.seal.encode())
