"""The tickets of mask jobs as credentials: each is for parts of one job, until that ends."""

import time

from joserfc.jwk import OKPKey

from pdp import mask_ticket
from pdp.authn.bearer import MAX_TOKEN_BYTES
from pdp.authn.refusal import Notices
from pdp.caller import Caller, Role
from pdp.errors import Unauthenticated

_SENTENCE = "the ticket is not valid here: it ended, or is of another deployment; begin another mask job"


class Tickets:
    """Verifies tickets by the key `seal`, in a realm's name."""

    def __init__(self, key: OKPKey, realm: str) -> None:
        self._key, self._realm, self._notices = key, realm, Notices(time.monotonic)

    def caller(self, authorization: str | None) -> Caller | None:
        """The caller of the ticket in an `authorization` header; None where that holds none.

        Raises `Unauthenticated`, without detail, where it is not valid now. The policy is not asked about this caller:
        a part is decided with what its job's caller was when the job began.
        """
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or len(text) > MAX_TOKEN_BYTES or not mask_ticket.is_ticket(text):
            return None
        try:
            ticket = mask_ticket.read(text, self._key, time.time())
        except ValueError as error:
            self._notices.say(f"the ticket of a mask job was refused: {error}")
            raise Unauthenticated(_SENTENCE) from None
        if ticket.realm != self._realm:
            raise Unauthenticated(_SENTENCE)
        roles = frozenset({Role.REQUESTER})
        return Caller(ticket.caller, "", roles, (), b"{}", expires_at=float(ticket.exp), ticket=ticket)
