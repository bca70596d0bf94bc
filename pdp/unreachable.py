"""Why a connection was not made, in words for those who run the server. Pure."""

import os
import ssl


def why(error: BaseException | None) -> str:
    """The cause below an error, such as "Connection refused"; a sentence without one where nothing says it."""
    return _why(error) or "it does not say why"


def _why(error: BaseException | None) -> str:
    if error is None:
        return ""
    if deeper := _why(error.__cause__ or error.__context__):
        return deeper
    if isinstance(error, ssl.SSLError):
        return "its TLS certificate is not trusted, or it does not speak TLS"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        return ""
    return os.strerror(number) if number > 0 else "its name has no address here"
