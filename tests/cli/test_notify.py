"""`pdp notify test` tries a webhook."""

from pathlib import Path

from aiohttp import web

from tests.cli.terminal import Terminal
from tests.notify import Receiver, receiver
from tests.pdp.test_config import GOOD


def configured(ops: Receiver) -> Path:
    hook = ops.config()
    file = ops.folder / "placet.toml"
    file.write_text(f'{GOOD}\n[[webhooks]]\nname = "ops"\nurl = "{hook.url}"\nsecret = "{hook.secret.name}"\n')
    return file


async def test_message_is_sent_and_the_outcome_said(tmp_path: Path) -> None:
    pdp = Terminal(tmp_path)
    async with receiver(tmp_path) as ops:
        file = configured(ops)
        done = await pdp("notify", "test", "ops", "--config", file)
        (came,) = ops.received
        assert (done.status, done.out) == (0, f"ops took {came.id}\n")
        assert came.is_signed_by(ops.secret)
        assert (came.event["type"], came.event["source"], came.event["id"]) == ("dev.placet.test", "prod", came.id)

        async def failing(_: web.Request) -> web.StreamResponse:
            return web.Response(status=500)

        ops.answer = failing
        failed = await pdp("notify", "test", "ops", PDP_CONFIG=str(file))
        assert (failed.status, failed.out) == (69, "")
        assert failed.err == f"ops did not take {ops.received[1].id}: HTTP status 500\n"


async def test_what_is_not_configured_is_said(tmp_path: Path) -> None:
    pdp = Terminal(tmp_path)
    file = configured(Receiver(tmp_path, port=1))
    unknown = await pdp("notify", "test", "other", "--config", file)
    assert (unknown.status, unknown.err) == (2, f"{file} has no webhook other\n")
    (tmp_path / "ops.secret").chmod(0o644)
    readable = await pdp("notify", "test", "ops", "--config", file)
    assert (readable.status, readable.out) == (1, "")
    assert "chmod 600" in readable.err
