"""What a command's exit status says; scripts lean on it."""

from typing import NoReturn

import typer

from pdp.cli.visible import printable
from pdp.errors import PdpError

OK = 0
FAILURE = 1
USAGE = 2
POLICY_ERROR = 3
POLICY_TESTS_FAILED = 4
DENY = 10
NEEDS_APPROVAL = 11
APPROVAL_ENDED = 12
VERIFICATION_FAILED = 13
UNAVAILABLE = 69
NOT_ALLOWED = 77

_BY_CODE = {
    "INVALID_ARGUMENT": USAGE,
    "UNAVAILABLE": UNAVAILABLE,
    "DEADLINE_EXCEEDED": UNAVAILABLE,
    "UNAUTHENTICATED": NOT_ALLOWED,
    "PERMISSION_DENIED": NOT_ALLOWED,
}
_BY_REASON = {"POLICY_INVALID": POLICY_ERROR, "POLICY_REFUSED": POLICY_ERROR}


def of_error(error: PdpError) -> int:
    """The status for a failed call."""
    return _BY_REASON.get(error.reason) or _BY_CODE.get(error.code, FAILURE)


def fail(sentence: str, status: int = FAILURE) -> NoReturn:
    """Say why on standard error and end. What the sentence quotes may be anybody's text."""
    typer.echo(printable(sentence), err=True)
    raise typer.Exit(status)


def missing(error: ModuleNotFoundError) -> int:
    """Say that a command needs more than the client; the status for that."""
    typer.echo(f"this command needs {error.name}, which `pip install 'placet[server]'` brings", err=True)
    return FAILURE
