"""Why a yes does not count as it was given. The metadata `page` is where to mend that, if there is such a page."""

from typing import TypeVar

from pdp.errors import PdpError

E = TypeVar("E", bound=PdpError)


class ChannelNotAllowed(PdpError):
    """No requirement that the reviewer fits, and that still lacks people, takes a yes from this channel."""

    code = "FAILED_PRECONDITION"
    reason = "CHANNEL_NOT_ALLOWED"


class PasskeyRequired(PdpError):
    """A yes counts here only with the reviewer's passkey, and this one came without."""

    code = "FAILED_PRECONDITION"
    reason = "PASSKEY_REQUIRED"


class PasskeyInvalid(PdpError):
    """The passkey did not sign this verdict of this person: another key, statement, origin, nonce or counter."""

    code = "FAILED_PRECONDITION"
    reason = "PASSKEY_INVALID"


class PasskeyTooNew(PdpError):
    """The person has added this passkey a short while ago; it counts after `passkey_wait`."""

    code = "FAILED_PRECONDITION"
    reason = "PASSKEY_TOO_NEW"


class AccountNotLinked(PdpError):
    """A chat account acts that belongs to nobody here: no link, no data, or two that do not agree."""

    code = "FAILED_PRECONDITION"
    reason = "ACCOUNT_NOT_LINKED"


def at(page: str, error: E) -> E:
    """The error with the address of the page where it can be mended; where there is none, as it is."""
    if page:
        error.metadata["page"] = page
        error.sentence = f"{error.sentence}: {page}"
    return error
