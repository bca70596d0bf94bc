"""What a server keeps of the people who review: where their pages are, their passkeys, accounts and logins."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from joserfc.jwk import OKPKey

from pdp.account import LinkSealer
from pdp.config import Config
from pdp.duration import duration_ms
from pdp.last_login import LastLoginSealer
from pdp.opa.batching import Batcher
from pdp.passkey import PasskeySealer
from pdp.preference import PreferenceSealer
from pdp.recording.writer import Writer
from pdp.site import Site
from pdp.store.database import Database
from pdp.store.letters import Letters
from pdp.workflow.accounts import Accounts
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.last_logins import LastLogins
from pdp.workflow.linked import LinkedPrincipals
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.preferences import Preferences
from pdp.workflow.signing import Signing
from pdp.workflow.told import Told


@dataclass(frozen=True, slots=True)
class People:
    """The pages, what people's passkeys sign, their links, when they logged in last, and how they chose to be told."""

    site: Site
    passkeys: Passkeys
    signing: Signing
    told: Told
    links: Links
    last_logins: LastLogins
    preferences: Preferences

    @classmethod
    def of(cls, config: Config, database: Database, writer: Writer, seal: OKPKey) -> Self:
        """Those of a configured server. Its pages have no address yet."""
        wait = config.http.passkey_wait if config.http else "0"
        keyrings, site = Keyrings(database, writer, PasskeySealer(seal, config.realm)), Site()
        told = Told(writer, Letters(database), channels(config))
        links = Links(database, told, LinkSealer(seal, config.realm))
        logins = LastLogins(database, writer, LastLoginSealer(seal, config.realm))
        passkeys = Passkeys(keyrings, told, site, timedelta(milliseconds=duration_ms(wait) or 0))
        preferences = Preferences(database, told, PreferenceSealer(seal, config.realm))
        return cls(site, passkeys, Signing(keyrings, site), told, links, logins, preferences)

    def linked(self, batcher: Batcher) -> LinkedPrincipals:
        """Whom links put behind a request."""
        return LinkedPrincipals(self.links, batcher)

    def accounts(self, config: Config, batcher: Batcher, database: Database) -> Accounts:
        """Who acts through a chat account."""
        return Accounts(self.links, self.last_logins, batcher, config.entries, database, self.site)


def channels(config: Config) -> list[str]:
    """The channels in which people are told, by their names."""
    return [name for name in ("mail", "slack", "teams") if getattr(config, name) is not None]
