"""Verifications of the live log and of files: what is changed or missing is named, with exit status 13."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdp import keys
from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Done, Terminal, invoked, is_harmless
from tests.parts import Placet, asking, exporting, placet


@pytest.fixture(scope="module")
async def log(tmp_path_factory: pytest.TempPathFactory, server: Placet) -> Path:
    """An export that others have verified: the log, its anchor and its keys, in one folder."""
    folder = tmp_path_factory.mktemp("log")
    approval = await server.approved(exporting())
    for _ in range(3):
        await server.authorize(asking("drop"))
    pdp = Terminal(folder, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
    done = await pdp("audit", "export", "log.jsonl", "--as", "dana")
    assert (done.status, done.out) == (0, "")
    assert done.err.endswith(" records exported\n")
    assert approval.approval_id in (folder / "log.jsonl").read_text()
    verified = await pdp("audit", "verify", "log.jsonl", PDP_STATE=str(folder / "state"))
    assert verified.status == 0
    (folder / "anchor.json").write_text(verified.out)
    (folder / "keys.json").write_text(json.dumps(lines(folder / "log.jsonl")[0]["jwks"]))
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with its own state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PDP_STATE", "state")
    return tmp_path


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


Damage = Callable[[list[Any]], None]


def flip_a_record(log: list[Any]) -> None:
    first = next(batch for batch in log[1:] if '"DENY"' in batch["records"][0])
    first["records"][0] = first["records"][0].replace('"DENY"', '"DENX"')


def flip_a_payload(log: list[Any]) -> None:
    first = next(batch for batch in log[1:] if "customers" in batch["payloads"][0]["payload"])
    first["payloads"][0]["payload"] = first["payloads"][0]["payload"].replace("customers", "customerz", 1)


def put_an_escape_sequence_in(log: list[Any]) -> None:
    log[2]["records"][0] = log[2]["records"][0].replace('"id":"rec_', '"id":"\x1b[2J\u202e_')


def drop_a_batch(log: list[Any]) -> None:
    del log[3]


def swap_two(log: list[Any]) -> None:
    log[3], log[4] = log[4], log[3]


def drop_the_tail(log: list[Any]) -> None:
    del log[-2:]


def drop_everything(log: list[Any]) -> None:
    del log[1:]


def sign_with_another_key(log: list[Any]) -> None:
    log[1]["signature"] = log[2]["signature"]


def name_a_folder_elsewhere(log: list[Any]) -> None:
    log[0]["realm"] = "../../elsewhere"


def name_no_key(log: list[Any]) -> None:
    log[0]["jwks"] = {"keys": []}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip_a_record, " (rec_"),
        (flip_a_payload, "payload at writer "),
        (put_an_escape_sequence_in, "record at writer "),
        (drop_a_batch, "gap at writer "),
        (swap_two, "gap at writer "),
        (drop_the_tail, "tail-missing at writer "),
        (drop_everything, "writer-missing at writer "),
        (sign_with_another_key, "signature at writer "),
        (name_a_folder_elsewhere, "realm at the header: no deployment has such a name"),
        (name_no_key, "file at damaged.jsonl: there is no audit key"),
    ],
)
def test_damage_is_named_with_13(
    log: Path, here: Path, damage: Damage, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = lines(log / "log.jsonl")
    damage(damaged)
    Path("damaged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in damaged))
    status = invoked("audit", "verify", "damaged.jsonl", "--since", log / "anchor.json")
    out, err = capsys.readouterr()
    assert (status, out) == (13, "")
    assert "NOT INTACT: " in err
    assert says in err
    assert is_harmless(err)
    assert not (here / "state").exists()  # no anchor of that


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\x89PNG\r\n\xff\xfe", b"[" * 100_000], ids=range(4))
def test_what_is_no_export_is_said(log: Path, here: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "file").write_bytes(content)
    assert invoked("audit", "verify", "file") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("file is not an exported log: line 1: ")
    assert invoked("audit", "verify", "file", "--since", log / "anchor.json") == 13
    assert "NOT INTACT: file at file: no record can be read, and the anchor has seen some" in capsys.readouterr().err


def test_a_file_is_held_against_the_key_and_the_anchor_that_one_trusts(
    log: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = log / "log.jsonl"
    assert invoked("audit", "verify", export, "--key", log / "keys.json", "--since", log / "anchor.json") == 0
    out, err = capsys.readouterr()
    assert "checked with the key that the file names" not in err
    assert out == (log / "anchor.json").read_text()
    (kept,) = (here / "state").rglob("*.json")
    assert kept.read_text() == out.rstrip("\n")
    keys.generate(here / "other.jwk")
    assert invoked("audit", "verify", export, "--key", "other.jwk") == 13
    assert "NOT INTACT: signature at writer " in capsys.readouterr().err
    anchor = json.loads((log / "anchor.json").read_text())
    (here / "foreign.json").write_text(json.dumps({**anchor, "realm": "prod"}))
    assert invoked("audit", "verify", export, "--since", "foreign.json") == 13
    assert "is of realm prod" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "cannot read nowhere: No such file or directory"),
        (["log.jsonl", "--key", "nowhere"], "cannot read nowhere: No such file or directory"),
        (["log.jsonl", "--key", "log.jsonl"], "log.jsonl: "),
        (["log.jsonl", "--since", "nowhere"], "cannot read the anchor nowhere: No such file or directory"),
        (["log.jsonl", "--since", "keys.json"], "keys.json is not an anchor"),
    ],
)
def test_files_that_one_names_wrongly_are_2(
    log: Path,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(log)
    assert invoked("audit", "verify", *arguments) == 2
    assert says in capsys.readouterr().err


OLD = Path(__file__).parents[1] / "cases" / "before_split" / "export.jsonl"
"""An export of the version whose keys were `audit` and `grant`, made by its `pdp audit export`."""


def test_export_of_before_the_keys_were_split_verifies_as_ever(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jwks = lines(OLD)[0]["jwks"]
    assert [key["placet_use"] for key in jwks["keys"]] == ["audit", "grant"]
    assert invoked("audit", "verify", OLD, "-o", "jsonl") == 0
    anchor = json.loads(capsys.readouterr().out)
    assert (anchor["realm"], anchor["key"]) == ("dev", jwks["keys"][0]["kid"])
    (here / "keys.json").write_text(json.dumps(jwks))
    (here / "anchor.json").write_text(json.dumps(anchor))
    assert invoked("audit", "verify", OLD, "--key", "keys.json", "--since", "anchor.json") == 0
    damaged = OLD.read_text().replace('\\"DENY\\"', '\\"DENX\\"', 1)
    (here / "damaged.jsonl").write_text(damaged)
    assert damaged != OLD.read_text()
    assert invoked("audit", "verify", "damaged.jsonl") == 13


def test_export_holds_the_keys_of_auditors(log: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = lines(log / "log.jsonl")[0]["jwks"]["keys"]
    assert [member["placet_use"] for member in members] == ["audit", "seal"]
    (here / "seal.json").write_text(json.dumps(members[1]))
    assert invoked("audit", "verify", log / "log.jsonl", "--key", "seal.json") == 2
    assert "there is no audit key" in capsys.readouterr().err


async def verified(pdp: Terminal, *arguments: str | Path) -> Done:
    return await pdp("audit", "verify", "--as", "dana", "-o", "table", *arguments)


async def test_the_live_log_is_held_against_its_newest_anchor(tmp_path: Path, mongod: MongodProcess) -> None:
    own = tmp_path / "state"
    async with placet(own, mongod.uri, database="audited") as server:
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(own)})
        await pdp("audit", "export", "early.jsonl", "--as", "dana")
        for _ in range(3):
            await server.authorize(asking())
        first = await verified(pdp)
        assert first.status == 0
        assert first.out.startswith("  writer ")
        assert "vouches for each writer up to this batch" in first.err
        anchor = Path(first.err.rpartition("--since ")[2].strip())
        assert json.loads(anchor.read_bytes())["realm"] == "dev"
        assert (await pdp("audit", "verify", "early.jsonl")).status == 0  # nor does an older export

    async with placet(own, mongod.uri, database="lost") as server:  # the log is gone; the keys are the same
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(own)})
        gone = await verified(pdp)
        assert (gone.status, gone.out) == (13, "")
        assert "NOT INTACT: writer-missing at writer " in gone.err
        old = tmp_path / "old.json"
        old.write_text(json.dumps({**json.loads(anchor.read_bytes()), "writers": {}}))
        assert (await verified(pdp, "--since", old)).status == 13  # an older anchor does not lower the bar
        (own / "keys" / "audit.jwk").unlink()

    async with placet(own, mongod.uri, database="lost") as server:  # another key signs
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(own)})
        swapped = await verified(pdp)
        assert swapped.status == 13
        assert "give the one that you trust with --key" in swapped.err
