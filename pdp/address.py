"""Tells which addresses are on this machine, so that plaintext to them is safe."""

from ipaddress import ip_address
from urllib.parse import urlsplit


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
