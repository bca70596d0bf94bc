"""`python -m pdp.spark`, in the session of the tests."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.dev import identity
from pdp.spark import command
from tests.spark.placed import Placed


@pytest.fixture
def environment(stack: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDP_ADDRESS", stack.stage.server.address)
    monkeypatch.setenv("PDP_TOKEN", identity.token(stack.stage.server.state, "report-bot"))


def asked(source: Path, target: Path, *more: str) -> list[str]:
    return [str(source), str(target), "--table", "people", "--on-behalf-of", "user:alice", *more]


@pytest.mark.usefixtures("environment")
def test_files_are_masked_and_the_destination_is_decided_on(
    spark: Any, stack: Placed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text("id,note\n007,a\n,b\n")
    command.main(asked(tmp_path / "in.csv", tmp_path / "out", "--format", "csv", "--context", f"run={uuid4().hex}"))
    found = {row.note: row.id for row in spark.read.csv(str(tmp_path / "out"), header=True).collect()}
    assert found["a"].startswith("tok_")
    assert found["b"] is None
    job_id = capsys.readouterr().err.partition(":")[0]
    assert stack.get(job_id).destination == str(tmp_path / "out")
    with pytest.raises(SystemExit, match="2"):
        command.main(asked(tmp_path / "in.csv", tmp_path / "out", "--format", "csv"))
    assert "nothing was decided" in capsys.readouterr().err.lower()


@pytest.mark.usefixtures("environment", "spark")
def test_exit_codes_are_those_of_the_other_commands(
    stack: Placed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.json").write_text('{"id": "a", "other": 1}\n')
    given = asked(tmp_path / "in.json", tmp_path / "out", "--format", "json")
    stack.run(stack.stage.change(all_ask=True))
    try:
        (tmp_path / "in.json").write_text('{"id": "a"}\n')
        with pytest.raises(SystemExit, match="11"):
            command.main([*given, "--request-id", "nightly"])
        assert "apr_" in (said := capsys.readouterr().err)
        assert "--request-id nightly" in said
    finally:
        stack.run(stack.stage.change(all_ask=False))
    (tmp_path / "in.json").write_text('{"id": "a", "other": 1}\n')
    with pytest.raises(SystemExit, match="3"):
        command.main(given)
    assert "column other" in capsys.readouterr().err
    monkeypatch.setenv("PDP_TOKEN", "none")
    with pytest.raises(SystemExit, match="77"):
        command.main(given)
    with pytest.raises(SystemExit, match="2"):
        command.main([*given, "--context", "purpose"])
