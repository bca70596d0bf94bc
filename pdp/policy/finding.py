"""The findings of a check. Each tells a policy's author what is wrong and how to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pdp.errors import SetupError


@dataclass(frozen=True, order=True)
class Finding:
    """One fault: its file and line (0 is the whole file), the rule of the check, and what to do about it."""

    file: str
    line: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        """`file:line: sentence [rule]`, the form that editors jump to."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.sentence} [{self.rule}]"


class PolicyRefused(SetupError):
    """The policy was not loaded; `findings` say why. The policy that was loaded before stays in force."""

    reason = "POLICY_REFUSED"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(["the policy was not loaded; mend these first:", *map(str, findings)]))
        self.findings = tuple(findings)
