"""What a command's exit status says; scripts lean on it."""

from typing import NoReturn

import typer

from pdp.errors import PdpError

OK = 0
FAILURE = 1
USAGE = 2
POLICY_ERROR = 3
POLICY_TESTS_FAILED = 4
DENY = 10
NEEDS_APPROVAL = 11
APPROVAL_ENDED = 12
AUDIT_FAILED = 13
UNAVAILABLE = 69
NOT_ALLOWED = 77

_BY_CODE = {
    "INVALID_ARGUMENT": USAGE,
    "UNAVAILABLE": UNAVAILABLE,
    "DEADLINE_EXCEEDED": UNAVAILABLE,
    "UNAUTHENTICATED": NOT_ALLOWED,
    "PERMISSION_DENIED": NOT_ALLOWED,
}


def of_error(error: PdpError) -> int:
    """The status for a failed call."""
    return POLICY_ERROR if error.reason == "POLICY_INVALID" else _BY_CODE.get(error.code, FAILURE)


def fail(sentence: str, status: int = FAILURE) -> NoReturn:
    """Say why on standard error and end."""
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
