"""Where the pages for people are."""

from urllib.parse import urlsplit

_IMPLIED = {"http": ":80", "https": ":443"}


class Site:
    """The pages of a server. `url` is what browsers call them; it is empty where there are none, or not yet."""

    def __init__(self, url: str = "") -> None:
        self.url = url

    def approval(self, approval_id: str) -> str:
        """The address of the page that shows an approval; empty where there are no pages."""
        return f"{self.url}/inbox/approvals/{approval_id}" if self.url else ""

    @property
    def inbox(self) -> str:
        """The address of the page of what waits; empty where there are no pages."""
        return f"{self.url}/inbox" if self.url else ""

    @property
    def me(self) -> str:
        """The address of the page on which people see and change what is their own; empty likewise."""
        return f"{self.url}/inbox/me" if self.url else ""

    @property
    def origin(self) -> str:
        """The origin of the pages, as a browser writes it."""
        scheme, _, host = self.url.lower().partition("://")
        return f"{scheme}://{host.removesuffix(_IMPLIED[scheme])}" if self.url else ""

    @property
    def host(self) -> str:
        """The host alone, without a port: to what a passkey is bound (the RP id of WebAuthn)."""
        return urlsplit(self.url).hostname or ""
