"""`pdp doctor` on deployments that are really broken: each says what is wrong, and nothing is changed."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from pdp.environment import Environment
from pdp.process.mongod import MongodProcess
from pdp.server.doctor import examined
from pdp.server.observed import Level
from pdp.store import cause
from tests.certificates import Authority
from tests.cli.test_serve import configured
from tests.pdp.store.test_cause import Mongod

TLS = '\n[tls]\ncertificate = "{0.certificate.name}"\nkey = "{0.key.name}"\n'
AWAY = """
[[issuers]]
issuer = "https://127.0.0.1:9"
audience = "placet"
type = "user"
kind = "person"
"""


@pytest.fixture
def folder(tmp_path: Path, mongod: MongodProcess) -> Path:
    """A deployment that is right."""
    configured(tmp_path, mongod)
    return tmp_path


async def seen(folder: Path, *levels: Level) -> dict[str, str]:
    """What the doctor says of these levels, else of what is not ok: the last sentence about each thing."""
    wanted = levels or (Level.WRONG, Level.WARNING)
    lines = [one async for one in examined(folder / "placet.toml", Environment.read().tool_cache)]
    return {one.what: one.sentence for one in lines if one.level in wanted and one.what not in {"memory", "open files"}}


def changed(folder: Path, old: str, new: str) -> None:
    file = folder / "placet.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def test_nothing_is_wrong_with_what_is_right_and_nothing_changes(folder: Path, mongod: MongodProcess) -> None:
    changed(folder, 'database = "served"', 'database = "untouched"')
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert await seen(folder) == {}
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    async with AsyncMongoClient(mongod.uri) as client:
        assert "untouched" not in await client.list_database_names()
    assert len(await seen(folder, Level.OK)) > 12


def open_key(folder: Path) -> None:
    (folder / "keys" / "audit.jwk").chmod(0o644)


def no_seal(folder: Path) -> None:
    (folder / "keys" / "seal.jwk").unlink()


def no_grant(folder: Path) -> None:
    (folder / "keys" / "grant.jwk").unlink()


def taken_mode(folder: Path) -> None:
    (folder / "uri").write_text("mongodb://placet:hunter2@127.0.0.1/")
    (folder / "uri").chmod(0o644)
    file = folder / "placet.toml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join('mongodb_uri_file = "uri"' if "mongodb_uri" in line else line for line in lines))


def silent(folder: Path) -> None:
    file = folder / "placet.toml"
    lines = file.read_text().splitlines()
    uri = 'mongodb_uri = "mongodb://placet:hunter2@127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=100"'
    file.write_text("\n".join(uri if "mongodb_uri" in line else line for line in lines))


def broken_policy(folder: Path) -> None:
    (folder / "policy" / "policy" / "mine.rego").write_text("package policy\n\nallow contains {\n")


def away(folder: Path) -> None:
    file = folder / "placet.toml"
    file.write_text(file.read_text() + AWAY)


def expired(folder: Path) -> None:
    pair = Authority(folder).server(days=(-9, -1))
    changed(folder, "\n[[issuers]]", TLS.format(pair) + "\n[[issuers]]")


def unknown_field(folder: Path) -> None:
    changed(folder, 'realm = "dev"', 'realm = "dev"\nrealms = 1')


def no_opa(folder: Path) -> None:
    changed(folder, 'policy = ["policy"]', 'opa_url = "http://127.0.0.1:1"')


def added(text: str, **files: str) -> Callable[[Path], None]:
    """A further part of the configuration, with files for it."""

    def breaks(folder: Path) -> None:
        for name, content in files.items():
            (folder / "keys" / name).write_text(content)
            (folder / "keys" / name).chmod(0o600)
        file = folder / "placet.toml"
        file.write_text(f"{text}\n{file.read_text()}" if "[" not in text else f"{file.read_text()}\n{text}")

    return breaks


def renamed_host(folder: Path) -> None:
    changed(folder, "mongodb://127.0.0.1", "mongodb://mongo.invalid")


def one_address(folder: Path) -> None:
    changed(folder, 'listen = "127.0.0.1:0"', 'listen = "127.0.0.1:4999"')
    added('[operations]\nlisten = "127.0.0.1:4999"')(folder)


HOOK = '[[webhooks]]\nname = "ops"\nurl = "https://hooks.example.com/placet"\nsecret = "keys/hook"'
SLACK = '[slack]\nteam = "T0123ABCD"\nbot_token = "keys/bot"\napp_token = "keys/app"'
BROKEN: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a key that others read": (open_key, "keys and secrets", "audit.jwk can be read by others; run: chmod 600"),
    "a key that is missing": (no_seal, "keys and secrets", "seal_key: there is no"),
    "another key that is missing": (no_grant, "keys and secrets", "grant_key: "),
    "a URI that others read": (taken_mode, "configuration", "can be read by others; run: chmod 600"),
    "a MongoDB that is away": (silent, "MongoDB", "no MongoDB answers at the given URI"),
    "a policy that does not load": (broken_policy, "policy", "mine.rego:"),
    "an issuer that is away": (away, "keys of issuer user", "they cannot be read (Connection refused)"),
    "a certificate that has ended": (expired, "TLS of grpc", "ended on"),
    "a field that does not exist": (
        unknown_field,
        "configuration",
        "realms: Placet has no field of this name",
    ),
    "mask keys that are missing": (added('mask_keys = "keys/mask.json"'), "keys and secrets", "pdp keys rotate /"),
    "mask keys of another form": (
        added('mask_keys = "keys/mask.json"', **{"mask.json": "{}"}),
        "keys and secrets",
        "mask_keys: mask.json is not a key file of format 1",
    ),
    "a webhook's secret that is none": (added(HOOK, hook="abc"), "keys and secrets", "webhook ops: "),
    "a token that is missing": (
        added(SLACK, bot="xoxb"),
        "keys and secrets",
        "keys/app cannot be read: No such file or directory; put it there, or correct its name",
    ),
    "a host that has no address": (renamed_host, "MongoDB", "a host of MongoDB has no address here (DNS)"),
    "two listeners at one address": (one_address, "ports", "127.0.0.1:4999 is the address of listen, too"),
    "an OPA that is away": (no_opa, "OPA", "opa_url http://127.0.0.1:1: OPA does not answer"),
}


@pytest.mark.parametrize(("breaks", "what", "sentence"), BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_broken_is_the_one_thing_that_is_wrong(
    folder: Path, breaks: Callable[[Path], None], what: str, sentence: str
) -> None:
    breaks(folder)
    found = await seen(folder, Level.WRONG)
    assert list(found) == [what]
    assert sentence in found[what]
    assert "\n" not in found[what]
    assert "hunter2" not in str(await seen(folder, *Level))


async def test_each_secret_that_others_read_is_named(folder: Path) -> None:
    for name in ("audit", "grant", "seal"):
        (folder / "keys" / f"{name}.jwk").chmod(0o604)
    lines = [one async for one in examined(folder / "placet.toml", Environment.read().tool_cache)]
    told = [one.sentence for one in lines if one.what == "keys and secrets"]
    assert [next(name for name in ("audit", "grant", "seal") if f"{name}.jwk" in line) for line in told] == [
        "audit",
        "grant",
        "seal",
    ]
    assert all(line.count(".jwk") == 2 for line in told), "the file, and the command that mends it"


async def test_a_port_that_another_program_has(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        changed(folder, "127.0.0.1:0", address)
        found = await seen(folder)
    assert found == {"port of listen": f"another program listens on {address}; end it, or choose another address"}


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Mongod]:
    async with Mongod(tmp_path / "alone") as process:
        yield process


async def test_a_standalone_mongodb(folder: Path, alone: Mongod, mongod: MongodProcess) -> None:
    changed(folder, mongod.uri, f"mongodb://127.0.0.1:{alone.port}/")
    assert await seen(folder) == {"MongoDB": cause.STANDALONE}
