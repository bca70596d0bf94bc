"""Every failure a caller can meet: a sentence, a gRPC status code and a stable reason.

A "no" of the policy is an answer, never one of these. The interceptor maps the tree to `google.rpc.Status` once;
sentences say what to do and never carry values of the request or text of a driver.
"""

from collections.abc import Sequence

DOMAIN = "placet.dev"
"""`google.rpc.ErrorInfo.domain` of every reason below."""


class PdpError(Exception):
    """A failure with `code` (a `grpc.StatusCode` name) and `reason` (`ErrorInfo.reason`).

    `violations` are (field path, description) pairs; `retry_seconds` is set where retrying helps; `metadata` is
    `ErrorInfo.metadata`.
    """

    code = "INTERNAL"
    reason = "INTERNAL"
    retry_seconds: float | None = None

    def __init__(self, sentence: str, *, violations: Sequence[tuple[str, str]] = (), **metadata: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.violations = tuple(violations)
        self.metadata = metadata


class InvalidRequest(PdpError):
    """The request cannot be read as it is; `violations` name the fields."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_REQUEST"

    @classmethod
    def field(cls, path: str, description: str) -> "InvalidRequest":
        """One bad field: its path as a client writes it (`resource.properties.tags[0]`) and what to do."""
        return cls(f"{path}: {description}", violations=[(path, description)])


class Unauthenticated(PdpError):
    """Who is calling could not be established; no detail on purpose."""

    code = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"


class NotAllowed(PdpError):
    """The caller is known and may not do this; `reason` says which rule stands in the way."""

    code = "PERMISSION_DENIED"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class NotFound(PdpError):
    """There is no such object, or it is not this caller's to see."""

    code = "NOT_FOUND"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class PolicyInvalid(PdpError):
    """The policy gave no well-shaped answer.

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
    """The approval has left PENDING; its state is in the metadata."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_PENDING"


class ApprovalNotApproved(PdpError):
    """Only what is APPROVED can be taken back; its state is in the metadata."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_APPROVED"


class ApprovalNotConsumed(PdpError):
    """Only a use has an outcome; the approval's state is in the metadata."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_NOT_CONSUMED"


class OutcomeReported(PdpError):
    """SUCCEEDED and FAILED are final."""

    code = "ALREADY_EXISTS"
    reason = "OUTCOME_REPORTED"


class ApprovalChanged(PdpError):
    """The approval is no longer what was displayed; state, number of reviews and version are in the metadata."""

    code = "ABORTED"
    reason = "APPROVAL_CHANGED"


class ApprovalTampered(PdpError):
    """The approval's signatures do not fit it: somebody changed the database behind the servers' back."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_TAMPERED"


class AlreadyReviewed(PdpError):
    """This person has reviewed this approval before; a review is never changed."""

    code = "ALREADY_EXISTS"
    reason = "ALREADY_REVIEWED"


class RequestIdReused(PdpError):
    """The `request_id` names another request; `violations` name the differing paths, never values."""

    code = "ALREADY_EXISTS"
    reason = "REQUEST_ID_REUSED"


class DigestMismatch(PdpError):
    """`expected_digest` is not this approval's: what was displayed is not what would be approved."""

    code = "ABORTED"
    reason = "DIGEST_MISMATCH"


class Conflict(PdpError):
    """Others changed the approval faster than this call could; read it again and retry."""

    code = "ABORTED"
    reason = "CONFLICT"
    retry_seconds = 0.1


class ReviewIndividually(PdpError):
    """A requirement that the reviewer fits is `individual`: this approval is not reviewed together with others."""

    code = "FAILED_PRECONDITION"
    reason = "REVIEW_INDIVIDUALLY"


class TooManyPending(PdpError):
    """Enough approvals of this caller, or for a person behind it, wait for reviewers; none was opened."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_PENDING"
    retry_seconds = 60.0


class Overloaded(PdpError):
    """More work is waiting than is safe to queue; nothing was decided."""

    code = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"
    retry_seconds = 0.5


class EngineUnavailable(PdpError):
    """OPA did not answer in time; nothing is allowed meanwhile."""

    code = "UNAVAILABLE"
    reason = "ENGINE_UNAVAILABLE"
    retry_seconds = 1.0


class StoreUnavailable(PdpError):
    """MongoDB did not confirm in time; nothing is answered without its record."""

    code = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"
    retry_seconds = 1.0


class ServerStops(PdpError):
    """The server is about to end and lets whoever waits go; the next one answers."""

    code = "UNAVAILABLE"
    reason = "SERVER_STOPS"
    retry_seconds = 1.0


class ResumeTokenTooOld(PdpError):
    """What changed since cannot be told any more; begin again without a token."""

    code = "OUT_OF_RANGE"
    reason = "RESUME_TOKEN_TOO_OLD"


class MaskingOff(PdpError):
    """This server has no mask keys, or its installation lacks the extra `mask`; it decides, but masks nothing."""

    code = "FAILED_PRECONDITION"
    reason = "MASKING_OFF"


class MaskPlanRefused(PdpError):
    """The policy's masks do not fit the table: a column with none, with two, or of a type its mask does not take."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_PLAN_REFUSED"


class ValueRefused(PdpError):
    """A value does not fit its mask; column, row (from 0) and rule are in the metadata, the value is nowhere."""

    code = "INVALID_ARGUMENT"
    reason = "VALUE_REFUSED"


class KeyRefused(PdpError):
    """A mask key version is unknown or retired."""

    code = "FAILED_PRECONDITION"
    reason = "KEY_REFUSED"


class QuotaExceeded(PdpError):
    """This caller and chain have used up what an hour allows; nothing was done."""

    code = "RESOURCE_EXHAUSTED"
    reason = "QUOTA_EXCEEDED"

    def __init__(self, sentence: str, retry_seconds: float) -> None:
        super().__init__(sentence)
        self.retry_seconds = retry_seconds


class StreamTimeout(PdpError):
    """The stream took too long, in all or without a message."""

    code = "DEADLINE_EXCEEDED"
    reason = "STREAM_TIMEOUT"


class GrantInvalid(PdpError):
    """A grant does not prove that this may run here and now; the sentence says why not."""

    code = "PERMISSION_DENIED"
    reason = "GRANT_INVALID"


class ArgumentsChanged(PdpError):
    """What is about to run is no longer what was asked about."""

    code = "PERMISSION_DENIED"
    reason = "ARGUMENTS_CHANGED"


class ApprovalPending(PdpError):
    """People have to review first. Ask again under the same `request_id`, or with `approval_id`, once they have."""

    code = "FAILED_PRECONDITION"
    reason = "APPROVAL_PENDING"

    def __init__(self, approval_id: str, request_id: str) -> None:
        super().__init__(f"people have to review {approval_id} first", approval_id=approval_id, request_id=request_id)
        self.approval_id, self.request_id = approval_id, request_id


class SetupError(PdpError):
    """The server, a dependency or the configuration is not as it must be; the sentence says what to do."""

    code = "FAILED_PRECONDITION"
    reason = "SETUP"
