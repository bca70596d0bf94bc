"""`pdp dev --slack`: a stack with a Slack of its own, of which nothing is left afterwards."""

from pathlib import Path

from tests.cli.terminal import Terminal


async def test_stack_has_a_slack_beside_it(tmp_path: Path) -> None:
    done = await Terminal(tmp_path, {})("dev", "--slack", "--", "sh", "-c", "echo $PDP_HTTP_URL")
    assert done.status == 0, done.err
    assert done.err.startswith("slack  http://localhost:")
    assert "warning" not in done.err
    inbox = done.out.strip() + "/inbox"
    assert f"inbox  {inbox}  (log in with one click)" in done.err
    assert done.out.startswith("http://localhost:")
