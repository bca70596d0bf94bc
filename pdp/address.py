"""Which addresses are on this machine, where plaintext is no danger."""

from ipaddress import ip_address


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
