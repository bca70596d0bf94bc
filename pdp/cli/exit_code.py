"""The exit statuses of all commands. Scripts rely on them, so they never change."""

from typing import NoReturn

import typer

from pdp.errors import PdpError
from pdp.say import say

OK = 0
"""The command succeeded; the action is allowed."""
FAILURE = 1
"""The command failed for a reason that has no status of its own."""
USAGE = 2
"""The command line, a file or a request is not acceptable."""
POLICY_ERROR = 3
"""The policy is invalid, its check has findings, or its masks do not fit the table."""
POLICY_TESTS_FAILED = 4
"""A test of the policy failed, the tests do not cover enough, or an attack on the policy found something."""
DENY = 10
"""The action is denied."""
NEEDS_APPROVAL = 11
"""People have to review the request first."""
APPROVAL_ENDED = 12
"""The approval does not count: it has ended, was used or is for another request."""
VERIFICATION_FAILED = 13
"""The log is not intact, or the grant is not valid."""
UNAVAILABLE = 69
"""The server, or something that it needs, does not answer (EX_UNAVAILABLE of sysexits.h)."""
NOT_READY = 75
"""What a server needs was not there in time; a supervisor starts it again (EX_TEMPFAIL of sysexits.h)."""
NOT_ALLOWED = 77
"""The caller may not do this (EX_NOPERM of sysexits.h)."""

_BY_CODE = {
    "INVALID_ARGUMENT": USAGE,
    "UNAVAILABLE": UNAVAILABLE,
    "DEADLINE_EXCEEDED": UNAVAILABLE,
    "UNAUTHENTICATED": NOT_ALLOWED,
    "PERMISSION_DENIED": NOT_ALLOWED,
}
_ELSEWHERE = ("CHANNEL_NOT_ALLOWED", "PASSKEY_REQUIRED", "PASSKEY_INVALID", "PASSKEY_TOO_NEW")
"""Reasons of a yes that does not count as it was given."""
_BY_REASON = {
    "NOT_READY": NOT_READY,
    **dict.fromkeys(_ELSEWHERE, NOT_ALLOWED),
    **dict.fromkeys(("POLICY_INVALID", "POLICY_REFUSED", "MASK_PLAN_REFUSED"), POLICY_ERROR),
}


def of_error(error: PdpError) -> int:
    """The exit status for a failed call."""
    return _BY_REASON.get(error.reason) or _BY_CODE.get(error.code, FAILURE)


def fail(sentence: str, status: int = FAILURE) -> NoReturn:
    """Print the sentence on standard error and exit. Hidden characters are shown: it may quote text from anybody."""
    say(sentence)
    raise typer.Exit(status)


def missing(error: ModuleNotFoundError) -> int:
    """Say that a command needs the extra `server`, and return the exit status for that."""
    say(f"this command needs {error.name}, which `pip install 'placet[server]'` brings")
    return FAILURE
