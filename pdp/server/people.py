"""What a server keeps of the people who review: where their pages are, and their passkeys."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from joserfc.jwk import OKPKey

from pdp.config import Config
from pdp.duration import duration_ms
from pdp.passkey import PasskeySealer
from pdp.recording.writer import Writer
from pdp.site import Site
from pdp.store.database import Database
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.signing import Signing


@dataclass(frozen=True, slots=True)
class People:
    """The pages, and what people's passkeys sign."""

    site: Site
    passkeys: Passkeys
    signing: Signing

    @classmethod
    def of(cls, config: Config, database: Database, writer: Writer, seal: OKPKey) -> Self:
        """Those of a configured server. Its pages have no address yet."""
        wait = config.http.passkey_wait if config.http else "0"
        keyrings, site = Keyrings(database, writer, PasskeySealer(seal, config.realm)), Site()
        passkeys = Passkeys(keyrings, writer, site, timedelta(milliseconds=duration_ms(wait) or 0))
        return cls(site, passkeys, Signing(keyrings, site))
