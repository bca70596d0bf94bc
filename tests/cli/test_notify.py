"""`pdp notify test` tries a webhook."""

from pathlib import Path

from aiohttp import web

from tests.cli.terminal import Terminal
from tests.mailbox import mailbox
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
        place = ops.config().url.rpartition("/")[0]
        wanted = f"HTTP status 500; {place} (its url): look into the log of the receiver\n"
        assert failed.err == f"ops did not take {ops.received[1].id}: {wanted}"
    away = await pdp("notify", "test", "ops", PDP_CONFIG=str(file))
    assert (away.status, away.out) == (69, "")
    assert f"no connection; {place} (its url): check that something listens there" in away.err


async def test_what_is_not_configured_is_said(tmp_path: Path) -> None:
    pdp = Terminal(tmp_path)
    file = configured(Receiver(tmp_path, port=1))
    unknown = await pdp("notify", "test", "other", "--config", file)
    wanted = f"{file} has no webhook and no channel called other; it has ops\n"
    assert (unknown.status, unknown.err) == (2, wanted)
    (tmp_path / "ops.secret").chmod(0o644)
    readable = await pdp("notify", "test", "ops", "--config", file)
    assert (readable.status, readable.out) == (1, "")
    assert "chmod 600" in readable.err


async def test_channel_for_people_is_tried_without_a_message(tmp_path: Path) -> None:
    pdp = Terminal(tmp_path)
    file = tmp_path / "placet.toml"
    async with mailbox(tmp_path, phrase="s3cret") as box:
        box.settings(phrase="s3cret")
        table = f'server = "smtps://127.0.0.1:{box.port}"\nfrom = "placet@example.com"\nuser = "placet"'
        file.write_text(f'{GOOD}\n[mail]\n{table}\npassword = "mail.password"\n')
        stranger = await pdp("notify", "test", "mail", "--config", file)
        assert (stranger.status, stranger.out) == (69, "")
        address = f"smtps://127.0.0.1:{box.port} (mail.server)"
        assert f"mail takes no messages: the mail server's TLS certificate is not trusted; {address}: " in stranger.err
        good = await pdp("notify", "test", "mail", "--config", file, SSL_CERT_FILE=str(tmp_path / "authority.pem"))
        assert (good.status, good.out) == (0, "mail lets us in\n")
        assert not box.raw
    none = await pdp("notify", "test", "slack", "--config", file)
    assert (none.status, none.err) == (2, f"{file} has no webhook and no channel called slack; it has mail\n")
    away = await pdp("notify", "test", "mail", "--config", file)
    assert away.status == 69
    assert f"cannot be reached over TLS; {address}: Connection refused; check the address" in away.err
