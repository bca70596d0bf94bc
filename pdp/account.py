"""Accounts of chat services, and their links to people: what is stored of a link, and how it is signed. Pure.

1. An account is `slack:<team>/<user>` or `teams:<tenant>/<object id>`, made of what the service signed. Its types are
   reserved: no issuer and no certificate vouches for such an identity.
2. A link carries a signature by the key `seal` over its whole content, with a `typ` of its own. A check signs again and
   compares, so who writes to the database links nobody, and moves no link to another account or person.
"""

import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime

from joserfc.jwk import OKPKey

from pdp import jws

TYPES = frozenset({"slack", "teams"})
"""The types of identities that are accounts of a chat service."""
OFFER_SECONDS = 600.0
"""Seconds in which a person confirms a link."""
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLACK_ID = re.compile(r"[A-Z0-9]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as it is stored: whose account it is, and since when by MongoDB's clock."""

    account: str
    identity: str
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class LinkSealer:
    """Signs links with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def link(self, link: Link) -> Link:
        """The link with its signature."""
        at = link.at.isoformat(timespec="milliseconds")
        claims = {"realm": self.realm, "account": link.account, "identity": link.identity, "at": at}
        return replace(link, seal=jws.signed("placet-link+jwt", claims, self.key))

    def ended(self, link: Link) -> Link:
        """What is kept of a link that ends, with its signature."""
        claims = {"realm": self.realm, "account": link.account, "identity": link.identity}
        claims["at"] = link.at.isoformat(timespec="milliseconds")
        return replace(link, seal=jws.signed("placet-link-ended+jwt", claims, self.key))

    def offer(self, session: str, identity: str, account: str, at: str) -> str:
        """Says that in this session a person was shown this account as theirs, at a time in seconds since 1970."""
        claims = {"realm": self.realm, "session": session, "identity": identity, "account": account, "at": at}
        return jws.signed("placet-link-offer+jwt", claims, self.key)

    def is_offer(self, text: str, session: str, identity: str, account: str, at: str, now: float) -> bool:
        """Whether a server of this deployment made this very offer not long ago."""
        ours = self.offer(session, identity, account, at)
        return hmac.compare_digest(ours.encode(), text.encode()) and now - int(at) < OFFER_SECONDS

    def is_ours(self, stored: Link) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        return hmac.compare_digest(self.link(stored).seal.encode(), stored.seal.encode())

    def is_ended(self, stored: Link) -> bool:
        """The same for what is kept of a link that ended."""
        return hmac.compare_digest(self.ended(stored).seal.encode(), stored.seal.encode())


def is_account(identity: str) -> bool:
    """Whether an identity is an account of a chat service."""
    return identity.partition(":")[0] in TYPES


def of_slack(team: str, user: str) -> str:
    """The account of a user of a Slack team, by the ids that Slack signed. Raises `ValueError` for other texts."""
    if not _SLACK_ID.fullmatch(team) or not _SLACK_ID.fullmatch(user):
        raise ValueError("not the ids of a team and a user of Slack")
    return f"slack:{team}/{user}"


def of_teams(tenant: str, object_id: str) -> str:
    """The account of a person in Entra, by the ids that Microsoft signed. Raises `ValueError` for other texts.

    Such ids have no case, so both are written in lower case.
    """
    ids = tenant.lower(), object_id.lower()
    if not all(map(_GUID.fullmatch, ids)):
        raise ValueError("not the ids of a tenant and of a person in it")
    return f"teams:{ids[0]}/{ids[1]}"
