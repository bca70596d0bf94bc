"""The tickets of mask jobs as credentials: each is for parts of one job, until that ends."""

import logging
import time
from dataclasses import dataclass

from joserfc.jwk import OKPKey

from pdp import mask_ticket
from pdp.authn.bearer import MAX_TOKEN_BYTES
from pdp.caller import Caller, Role
from pdp.errors import Unauthenticated

log = logging.getLogger(__name__)

_SENTENCE = "the ticket is not valid here: it ended, or is of another deployment; begin another mask job"


@dataclass(frozen=True, slots=True)
class Tickets:
    """Verifies tickets by the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def caller(self, authorization: str | None) -> Caller | None:
        """The caller of the ticket in an `authorization` header; None where that holds none.

        Raises `Unauthenticated`, without detail, where it is not valid now. The policy is not asked about this caller:
        a part is decided with what its job's caller was when the job began.
        """
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or len(text) > MAX_TOKEN_BYTES or not mask_ticket.is_ticket(text):
            return None
        try:
            ticket = mask_ticket.read(text, self.key, time.time())
        except ValueError as error:
            log.info("a ticket was refused: %s", error)
            raise Unauthenticated(_SENTENCE) from None
        if ticket.realm != self.realm:
            raise Unauthenticated(_SENTENCE)
        roles = frozenset({Role.REQUESTER})
        return Caller(ticket.caller, "", roles, (), b"{}", expires_at=float(ticket.exp), ticket=ticket)
