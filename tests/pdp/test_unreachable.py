"""What is said of a connection that was not made."""

import errno
import socket
import ssl

import pytest

from pdp.unreachable import why


def chained(cause: BaseException) -> Exception:
    """An error of a library, as it comes: the cause lies two steps below."""
    middle = OSError("Multiple exceptions")
    middle.__cause__ = cause
    error = RuntimeError("cannot connect")
    error.__context__ = middle  # the cause is only the context
    return error


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "its name has no address here"),
        (TimeoutError(), "no answer in time"),
        (ssl.SSLCertVerificationError(1, "x"), "its TLS certificate is not trusted, or it does not speak TLS"),
        (ValueError("the secret"), "it does not say why"),
    ],
)
def test_cause_is_told_in_plain_words(cause: BaseException, said: str) -> None:
    assert why(cause) == said
    assert why(chained(cause)) == said
