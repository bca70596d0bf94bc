"""Every metric of Placet. `docs/watching.md` says what each is for; `pdp.server.exposition` shows them.

1. Labels have closed sets of values: names of the contract, of the configuration and of this code. The revision of
   the policy is one series at a time. Rules of the policy are counted with `[operations] rule_metrics` alone.
2. Nothing of a request, a caller or a person is part of a metric.
3. A process has one set of them, as it has one event loop. What it counts starts at 0 with the process.
"""

import re
import time
from http import HTTPStatus

from pdp.approval import Approval, State
from pdp.instrument import OTHER, Counter, Gauge, Histogram, Joined

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of buckets: from half a millisecond to the most that a call may take."""
ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Upper bounds of buckets of items: to a batch's 1,000."""
SHED_REASONS = ("CALLER_OVER_LIMIT", "OVERLOADED")
"""The reasons of calls that were refused because there was too much to do. Nothing was decided."""
CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""The codes of gRPC. Beside them there are the statuses of HTTP."""
MOST_RULES = 500
"""Rules that are counted one by one; further ones count together."""
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,128}")
PROBLEMS = (
    "undefined", "null", "unknown_key", "wrong_type", "builtin_error", "conflict", "wrong_keys", "no_revision",
)  # fmt: skip
"""What can be wrong with the policy's answer. Beside them OPA may be late or away."""

CALLS = Histogram(
    "rpc_server_call_duration_seconds",
    "Seconds of a call by its RPC or HTTP path, and by its gRPC code or HTTP status.",
    SECONDS,
    rpc_method=(),
    code=(*CODES, *(str(status.value) for status in HTTPStatus)),
)
IN_FLIGHT = Gauge("pdp_in_flight", "Calls that are being answered now.", Joined.SUM)
DECISIONS = Counter(
    "pdp_decisions",
    "Answers to questions by effect. An error says that there was no decision.",
    effect=("allow", "deny", "needs_approval", "error"),
)
RULES = Counter("pdp_rule_decisions", "Decisions by the rule that made them, with rule_metrics alone.", name=())
STAGES = Histogram(
    "pdp_stage_seconds",
    "Seconds of the stages of decisions.",
    SECONDS,
    stage=("authenticate", "canonical", "wait", "opa", "settle", "audit"),
)
AUTHENTICATE, CANONICAL, WAIT, OPA, SETTLE, AUDIT = (
    STAGES.at(stage) for stage in ("authenticate", "canonical", "wait", "opa", "settle", "audit")
)
BATCH_ITEMS = Histogram(
    "pdp_batch_items", "Questions of a query to OPA, and records of an insert.", ITEMS, what=("opa", "audit")
)
SHED = Counter("pdp_shed", "Calls that were refused because there was too much to do.", reason=SHED_REASONS)
ENGINE_ERRORS = Counter(
    "pdp_engine_errors", "Questions without an answer of the policy, by kind.", kind=(*PROBLEMS, "late", "unavailable")
)
QUARANTINED = Gauge("pdp_quarantined_questions", "Kinds of questions that are in quarantine now.", Joined.SUM)

POLICY_INFO = Gauge("pdp_policy_info", "1 for the revision of the policy in force.", Joined.LARGEST, revision=())
POLICY_LOADED = Gauge(
    "pdp_policy_loaded_timestamp_seconds", "When the policy in force was first seen, as a Unix time.", Joined.LARGEST
)
POLICY_REFUSED = Counter("pdp_policy_refused", "Changes of the policy that were not loaded.")

APPROVALS = Counter("pdp_approvals", "Approvals that came into a state.", state=tuple(State))
APPROVALS_OPEN = Gauge("pdp_approvals_open", "Approvals that wait for people.", Joined.LARGEST)
APPROVAL_OLDEST = Gauge(
    "pdp_approval_oldest_seconds", "Age of the approval that has waited longest; 0 if none waits.", Joined.LARGEST
)

AUDIT_RECORDS = Counter("pdp_audit_records", "Records that became durable.")
AUDIT_UNCONFIRMED = Gauge(
    "pdp_audit_unconfirmed_seconds", "Seconds for which MongoDB has not confirmed an insert.", Joined.LARGEST
)
WRITER_CLOSED = Counter("pdp_audit_writer_closed", "Times that another process took this writer for dead.")

MASK_ROWS = Counter("pdp_mask_rows", "Rows that were masked, unmasked or rewrapped.", what=("mask", "unmask", "rewrap"))
MASK_BYTES = Counter("pdp_mask_bytes", "Bytes of them, as Arrow.", what=("mask", "unmask", "rewrap"))

READY = Gauge("pdp_ready", "1 if this server can decide, as `/readyz` says.", Joined.LARGEST)
DEPENDENCY_UP = Gauge("pdp_dependency_up", "1 if the dependency answered its last probe.", Joined.SMALLEST, name=())
CLOCK_OFFSET = Gauge(
    "pdp_clock_offset_seconds", "How far this machine's clock is from MongoDB's, without a sign.", Joined.LARGEST
)
CERTIFICATE_DAYS = Gauge(
    "pdp_certificate_days", "Days until the certificate of a listener ends.", Joined.SMALLEST, name=("grpc", "http")
)
WORKER_RESTARTS = Counter("pdp_worker_restarts", "Workers that ended by themselves and were started again.")

ALL: tuple[Counter | Gauge | Histogram, ...] = (
    CALLS,
    IN_FLIGHT,
    DECISIONS,
    RULES,
    STAGES,
    BATCH_ITEMS,
    SHED,
    ENGINE_ERRORS,
    QUARANTINED,
    POLICY_INFO,
    POLICY_LOADED,
    POLICY_REFUSED,
    APPROVALS,
    APPROVALS_OPEN,
    APPROVAL_OLDEST,
    AUDIT_RECORDS,
    AUDIT_UNCONFIRMED,
    WRITER_CLOSED,
    MASK_ROWS,
    MASK_BYTES,
    READY,
    DEPENDENCY_UP,
    CLOCK_OFFSET,
    CERTIFICATE_DAYS,
    WORKER_RESTARTS,
)
"""All of them, in the order in which they are shown."""


def policy_in_force(revision: str) -> None:
    """Show this revision, and since when it is in force. One that is not a plain name counts as `OTHER`."""
    shown = revision if _PLAIN.fullmatch(revision) else OTHER
    if (shown,) not in POLICY_INFO.series:
        POLICY_LOADED.at().set(time.time())
    POLICY_INFO.only(shown).set(1)


def came_into(state: State, approval: Approval | None) -> Approval | None:
    """The same, counted: an approval that has just come into this state, unless it is None."""
    if approval is not None:
        APPROVALS.at(state).add()
    return approval
