"""From a denial to an allow with nothing but an HTTP client, while people review with `pdp approvals`."""

from typing import Any

from tests.arap import export, opened, task
from tests.cli.terminal import Terminal
from tests.parts import Placet
from tests.web import evaluate


async def test_denial_is_lifted_once_with_nothing_but_http(pdp: Terminal, server: Placet) -> None:
    body = export()
    made = await opened(server, body)
    assert (made["status"], made["progress"]) == ("pending", {"current_step": 1, "total_steps": 2})
    assert made["status_endpoint"] == f"{server.http}/access/v1/requests/{made['id']}"

    for reviewer, step in (("bob", 2), ("carol", 0)):
        queue = await pdp("approvals", "list", "--queue", "--as", reviewer, "--all", "-o", "jsonl")
        run = body["context"]["run"]
        [approval_id] = [line["approvalId"] for line in queue.lines if run in str(line)]
        assert approval_id != made["id"]
        assert (await pdp("approvals", "approve", approval_id, "--as", reviewer, "--yes")).status == 0
        polled = (await task(server, made["id"])).json
        assert polled["task"].get("progress", {}).get("current_step", 0) == step

    assert polled["task"]["status"] == "approved"
    assert polled["result"]["mode"] == "reevaluate"
    assert "bob" not in str(polled)
    body["context"]["approval"] = polled["result"]["approval"]
    allowed = (await evaluate(server, body)).json
    assert allowed["decision"] is True
    assert allowed["context"]["approval"]["approved_until"] == polled["result"]["approval"]["approved_until"]
    again = (await evaluate(server, body)).json
    assert (again["decision"], again["context"]["reason"]) == (False, "approval_expired")
    assert (again["context"]["next_action"], again["context"]["access_request"]["template"]) == (
        "request",
        made_template(allowed),
    )
    assert (await task(server, made["id"])).json["task"]["status"] == "approved"


def made_template(allowed: dict[str, Any]) -> str:
    return ",".join(one["rule"] for one in allowed["context"]["reasons"])
