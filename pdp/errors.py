"""Every failure that a caller can meet, each with a sentence, a gRPC status code and a stable reason.

1. A deny of the policy is an answer, never one of these errors.
2. The interceptor maps them to `google.rpc.Status`, in one place.
3. A sentence says what to do. It never carries values of the request or the text of a driver.
"""

from collections.abc import Sequence

DOMAIN = "placet.dev"
"""The `google.rpc.ErrorInfo.domain` of every reason below."""


class PdpError(Exception):
    """A failure with `code` (the name of a `grpc.StatusCode`) and `reason` (`ErrorInfo.reason`).

    `violations` are pairs of a field path and a description. `retry_seconds` is set if a retry can help. `metadata`
    becomes `ErrorInfo.metadata`.
    """

    code = "INTERNAL"
    reason = "INTERNAL"
    retry_seconds: float | None = None

    def __init__(
        self,
        sentence: str,
        retry_seconds: float | None = None,
        /,
        *,
        violations: Sequence[tuple[str, str]] = (),
        **metadata: str,
    ) -> None:
        super().__init__(sentence)
        self.sentence, self.violations, self.metadata = sentence, tuple(violations), metadata
        if retry_seconds is not None:
            self.retry_seconds = retry_seconds


class InvalidRequest(PdpError):
    """The request breaks the contract; the field violations name its bad fields."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_REQUEST"

    @classmethod
    def field(cls, path: str, description: str) -> "InvalidRequest":
        """The error for one field: its path as a client writes it (`resource.properties.tags[0]`), and what to do."""
        return cls.fields([(path, description)])

    @classmethod
    def fields(cls, violations: Sequence[tuple[str, str]]) -> "InvalidRequest":
        """The error for several fields, all of which the sentence tells."""
        return cls("; ".join(f"{path}: {description}" for path, description in violations), violations=violations)


class RequestDiffers(PdpError):
    """The request that arrived is not that of its `expected_digest`; the metadata counts what arrived of each part."""

    code = "INVALID_ARGUMENT"
    reason = "REQUEST_DIFFERS"


class DigestRequired(PdpError):
    """This caller's entry in the configuration requires an `expected_digest`, and the request has none."""

    code = "INVALID_ARGUMENT"
    reason = "DIGEST_REQUIRED"


class Unauthenticated(PdpError):
    """The server could not establish who is calling. The sentence gives no detail, on purpose."""

    code = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"


class NotAllowed(PdpError):
    """The caller is known but may not do this; `reason` is one of `pdp.reasons.NOT_ALLOWED`."""

    code = "PERMISSION_DENIED"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class NotFound(PdpError):
    """No object has this id, or this caller may not see it; `reason` is one of `pdp.reasons.NOT_FOUND`."""

    code = "NOT_FOUND"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class PolicyInvalid(PdpError):
    """The policy's answer does not have the required shape.

    `problem` is one of undefined, null, unknown_key, wrong_type, builtin_error, conflict, wrong_keys, no_revision.
    """

    code = "FAILED_PRECONDITION"
    reason = "POLICY_INVALID"

    def __init__(self, problem: str, sentence: str, file: str = "") -> None:
        super().__init__(sentence, problem=problem)
        if file:
            self.metadata["file"] = file
        self.problem = problem


class ApprovalNotPending(PdpError):
    """The approval is not PENDING any more; the metadata names its state."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_PENDING"


class ApprovalNotApproved(PdpError):
    """Only an APPROVED approval can be revoked; the metadata names the state of this one."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_APPROVED"


class ApprovalNotConsumed(PdpError):
    """Only a CONSUMED approval has an outcome; the metadata names the state of this one."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_CONSUMED"


class OutcomeReported(PdpError):
    """The outcome was reported before as SUCCEEDED or FAILED, which are final."""

    code = "ALREADY_EXISTS"
    reason = "OUTCOME_REPORTED"


class ApprovalChanged(PdpError):
    """The approval changed after it was displayed; the metadata names its state, number of reviews and version."""

    code = "ABORTED"
    reason = "APPROVAL_CHANGED"


class ApprovalTampered(PdpError):
    """The approval's signatures do not fit its content: somebody other than a server changed the database."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_TAMPERED"


class AlreadyReviewed(PdpError):
    """This person has reviewed this approval before, and a review never changes."""

    code = "ALREADY_EXISTS"
    reason = "ALREADY_REVIEWED"


class RequestIdReused(PdpError):
    """The `request_id` was used for another request; `violations` name the paths that differ, never the values."""

    code = "ALREADY_EXISTS"
    reason = "REQUEST_ID_REUSED"


class DigestMismatch(PdpError):
    """`expected_digest` is not this approval's digest: what was displayed is not what would be approved."""

    code = "ABORTED"
    reason = "DIGEST_MISMATCH"


class Conflict(PdpError):
    """Other calls kept changing the approval before this one could; read it again and retry."""

    code = "ABORTED"
    reason = "CONFLICT"
    retry_seconds = 0.1


class TooManyPending(PdpError):
    """Too many approvals of this caller, in one person's name or in all, wait for reviewers; no approval was opened."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_PENDING"
    retry_seconds = 60.0


class Overloaded(PdpError):
    """More work waits than the server can queue safely; nothing was decided."""

    code = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"
    retry_seconds = 0.5


class EngineUnavailable(PdpError):
    """OPA did not answer in time, so nothing is allowed."""

    code = "UNAVAILABLE"
    reason = "ENGINE_UNAVAILABLE"
    retry_seconds = 1.0


class StoreUnavailable(PdpError):
    """MongoDB did not confirm in time, and the server does not answer before the record is stored."""

    code = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"
    retry_seconds = 1.0


class ServerStops(PdpError):
    """The server is about to end, so it ends the calls that wait. A retry reaches the next server."""

    code = "UNAVAILABLE"
    reason = "SERVER_STOPS"
    retry_seconds = 1.0


class ResumeTokenTooOld(PdpError):
    """The server no longer knows the changes since this token; begin again without a token."""

    code = "OUT_OF_RANGE"
    reason = "RESUME_TOKEN_TOO_OLD"


class MaskingOff(PdpError):
    """This server has no mask keys, or its installation lacks the extra `mask`. It decides but cannot mask."""

    code = "FAILED_PRECONDITION"
    reason = "MASKING_OFF"


class MaskPlanRefused(PdpError):
    """The policy's masks do not fit the table: a column has no mask or two, or its type does not fit its mask."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_PLAN_REFUSED"


class ValueRefused(PdpError):
    """A value does not fit its mask; the metadata names column, row (from 0) and rule, never the value."""

    code = "INVALID_ARGUMENT"
    reason = "VALUE_REFUSED"


class AnswerTooLarge(PdpError):
    """The answer does not fit into one message; nothing was recorded as answered, and nothing is used up."""

    code = "RESOURCE_EXHAUSTED"
    reason = "ANSWER_TOO_LARGE"


class KeyRefused(PdpError):
    """A mask key version is unknown or retired."""

    code = "FAILED_PRECONDITION"
    reason = "KEY_REFUSED"


class QuotaExceeded(PdpError):
    """This caller, or a person behind its request, has used up the quota for the hour; nothing was done."""

    code = "RESOURCE_EXHAUSTED"
    reason = "QUOTA_EXCEEDED"


class DecisionUsed(PdpError):
    """A job has begun its work under this decision already, so no other job may; the metadata names the decision."""

    code = "FAILED_PRECONDITION"
    reason = "DECISION_USED"


class MessageInFlight(PdpError):
    """Another message with this id has no answer yet, so this one was not looked at; that one gets its own answer."""

    code = "ALREADY_EXISTS"
    reason = "MESSAGE_IN_FLIGHT"


class StreamTimeout(PdpError):
    """The stream took too long in all, or too long without a message."""

    code = "DEADLINE_EXCEEDED"
    reason = "STREAM_TIMEOUT"


class SetupError(PdpError):
    """The server, a dependency or the configuration is not set up correctly; the sentence says what to do."""

    code = "FAILED_PRECONDITION"
    reason = "SETUP"
