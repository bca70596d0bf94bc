"""What `python -m pdp.spark` says of errors, and with which exit code: without a Spark."""

from typing import Any

import pytest

from masker.errors import MaskRefused
from pdp.cli import decisions, exit_code
from pdp.client import ApprovalPending, CallError, Denied
from pdp.client.decision import Decision
from pdp.spark import command
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect, Reason


def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException) -> tuple[Any, str]:
    """Exit code and sentences of a run that raises this."""

    def fails(*given: Any) -> str:
        del given
        raise error

    monkeypatch.setattr(command, "run", fails)
    with pytest.raises(SystemExit) as left:
        command.main(["in", "out", "--table", "people"])
    return left.value.code, capsys.readouterr().err


@pytest.mark.parametrize("rule", ["agents.closed", "pdp.approval_consumed", "pdp.lineage_grew"])
def test_denial_has_the_exit_code_of_other_commands(monkeypatch: Any, capsys: Any, rule: str) -> None:
    answer = AuthorizeResponse(effect=Effect.EFFECT_DENY, reasons=[Reason(rule=rule, reason="because")])
    code, said = ended(monkeypatch, capsys, Denied(Decision(answer, frozenset())))
    assert code == decisions.status(answer)
    assert "because" in said


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UNAVAILABLE", "UNAVAILABLE"),
        ("DEADLINE_EXCEEDED", "X"),
        ("UNAUTHENTICATED", "X"),
        ("PERMISSION_DENIED", "ROLE_REQUIRED"),
        ("INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("FAILED_PRECONDITION", "MASK_PLAN_REFUSED"),
        ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    ],
)
def test_error_of_the_server_has_the_exit_code_of_other_commands(
    monkeypatch: Any, capsys: Any, code: str, reason: str
) -> None:
    error = CallError(code, reason, "no")
    assert ended(monkeypatch, capsys, error) == (exit_code.of_error(error), "no\n")


def test_pending_approval_says_the_option_that_goes_on(monkeypatch: Any, capsys: Any) -> None:
    code, said = ended(monkeypatch, capsys, ApprovalPending("apr_1", "nightly"))
    assert (code, "--request-id nightly" in said) == (exit_code.NEEDS_APPROVAL, True)


def test_errors_that_are_foreseen_are_sentences_and_others_have_their_trace(monkeypatch: Any, capsys: Any) -> None:
    refused = MaskRefused("no", table="people")
    assert ended(monkeypatch, capsys, refused) == (exit_code.FAILURE, f"{refused}\n")
    code, said = ended(monkeypatch, capsys, ModuleNotFoundError("x", name="pyspark"))
    assert (code, "pyspark of your cluster" in said) == (exit_code.FAILURE, True)
    code, said = ended(monkeypatch, capsys, KeyboardInterrupt(15))
    assert (code, "the job has failed" in said) == (143, True)
    with pytest.raises(ZeroDivisionError):
        ended(monkeypatch, capsys, ZeroDivisionError())


def test_spark_is_quoted_with_what_it_says_first(monkeypatch: Any, capsys: Any) -> None:
    text = "An error occurred while calling o29.load.\n: org.X: [NOT_FOUND] no such format.\n\tat scala.Y"
    error = type("Py4JJavaError", (Exception,), {"__module__": "py4j.protocol"})(text)
    code, said = ended(monkeypatch, capsys, error)
    assert (code, said) == (exit_code.FAILURE, "Spark has ended with an error: org.X: [NOT_FOUND] no such format.\n")


@pytest.mark.parametrize("given", [["--on-behalf-of", "alice"], ["--subject", "alice"], ["--context", "purpose"]])
def test_argument_that_cannot_be_sent_is_named_before_spark_starts(given: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["in", "out", "--table", "people", *given])
    assert given[1] in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["PDP_TOKEN_FILE", "PDP_CA"])
def test_environment_that_makes_no_client_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, tmp_path: Any
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    with pytest.raises(command.NoConnection, match=r"cannot be read.*PDP_ADDRESS"):
        command.client()
