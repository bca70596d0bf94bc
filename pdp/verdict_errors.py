"""Why a yes does not count as it was given. The metadata `page` is where it can be given, if there is such a page."""

from pdp.errors import PdpError


class NotCountedHere(PdpError):
    """A yes that does not count as it was given; `page` is where it can be given, or empty."""

    code = "FAILED_PRECONDITION"

    def __init__(self, sentence: str, page: str = "") -> None:
        super().__init__(f"{sentence}: review it at {page}" if page else sentence)
        if page:
            self.metadata["page"] = page


class ChannelNotAllowed(NotCountedHere):
    """No requirement that the reviewer fits, and that still lacks people, takes a yes from this channel."""

    reason = "CHANNEL_NOT_ALLOWED"


class PasskeyRequired(NotCountedHere):
    """A yes counts here only with the reviewer's passkey, and this one came without."""

    reason = "PASSKEY_REQUIRED"
