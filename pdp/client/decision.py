"""What came of a question: an answer, or the error that came instead. Only a clear allow is allowed."""

from dataclasses import dataclass

from pdp.client.call_error import CallError
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect


class Denied(Exception):
    """`Decision.require` met a decision that does not allow; `decision` says why."""

    def __init__(self, decision: "Decision") -> None:
        super().__init__(decision.why)
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, or the error that came instead of one."""

    response: AuthorizeResponse
    understood: frozenset[str]
    error: CallError | None = None

    @property
    def allowed(self) -> bool:
        """A real allow with obligations that this program declared to know. Meet them before acting."""
        return (
            self.error is None
            and self.response.effect == Effect.EFFECT_ALLOW
            and not self.response.dry_run
            and not self.unknown_obligations
        )

    @property
    def needs_approval(self) -> bool:
        """People have to review first: `approval` names what they review."""
        return self.error is None and self.response.effect == Effect.EFFECT_NEEDS_APPROVAL

    @property
    def approval(self) -> Approval | None:
        """The approval that the answer is about."""
        return self.response.approval if self.response.HasField("approval") else None

    @property
    def unknown_obligations(self) -> list[str]:
        """Obligations that turn the allow into a deny here."""
        return [duty.type for duty in self.response.obligations if duty.type not in self.understood]

    @property
    def why(self) -> str:
        """One line for a log or a person; it names the decision."""
        if self.error is not None:
            return f"{self.error.reason}: {self.error.sentence}"
        reasons = "; ".join(f"{reason.reason} [{reason.rule}]" for reason in self.response.reasons)
        unknown = f"; unknown obligations {self.unknown_obligations}" if self.unknown_obligations else ""
        dry = "; only a dry run" if self.response.dry_run else ""
        return f"{_effect(self.response.effect)}: {reasons}{unknown}{dry} ({self.response.decision_id})"

    def require(self) -> "Decision":
        """This decision if it allows; raises `Denied` otherwise."""
        if not self.allowed:
            raise Denied(self)
        return self


def _effect(value: int) -> str:
    """A newer server may send an effect that has no name here."""
    return Effect.Name(value).removeprefix("EFFECT_") if value in Effect.values() else f"EFFECT_{value}"
