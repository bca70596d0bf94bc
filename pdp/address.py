"""Tells which addresses are on this machine, so that plaintext to them is safe."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The hosts in a URL that mean this machine. Other spellings do not count."""

_LAST_PORT = 65535
"""The largest port number of TCP."""
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?(?:[/?][!-~]*)?")


def is_local(address: str) -> bool:
    """Whether `address` is `unix:/path`, or `host:port` whose host is a loopback address or localhost."""
    if address.startswith("unix:"):
        return True
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdecimal() or (":" in host and not bracketed):
        return False
    try:
        return host == "localhost" or ip_address(host[1:-1] if bracketed else host).is_loopback
    except ValueError:
        return False


def is_address(address: str) -> bool:
    """Whether `address` is `host:port`, an IPv6 host in brackets."""
    found = _ADDRESS.fullmatch(address)
    return found is not None and int(found[1]) <= _LAST_PORT


def is_private_url(url: str) -> bool:
    """Whether others can neither read nor change what comes from `url`: it is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading an invalid port raises
    except ValueError:
        return False
    if not host or parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and is_local(f"[{host}]:80" if ":" in host else f"{host}:80")


def webhook_host(url: str) -> str:
    """The host of a webhook's URL. Raises `ValueError` that says what is wrong if no message may go to the URL."""
    match = _URL.fullmatch(url)
    if match is None or set(url) & set("#\\@") or int(match[3] or 0) > _LAST_PORT:
        raise ValueError("must look like https://host:port/path: host in lower case, all ASCII, no user, no fragment")
    if match[1] != "https" and match[2] not in LOOPBACK:
        raise ValueError("must begin with https://; http:// goes to localhost, 127.0.0.1 or [::1] only")
    return match[2]
