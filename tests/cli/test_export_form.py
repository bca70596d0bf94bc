"""An export that tools packed, encoded anew, doubled or cut is named as that; what is missing or changed stays 13."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, invoked, is_harmless
from tests.cli.test_verification import lines
from tests.parts import Placet, asking


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module", autouse=True)
async def exported(log: Path, server: Placet) -> None:
    """An export, an older one, and the anchor of the whole."""
    pdp = Terminal(log, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
    await server.authorize(asking("drop"))
    assert (await pdp("audit", "export", "early.jsonl", "--as", "dana")).status == 0
    for _ in range(3):
        await server.authorize(asking("drop"))
    assert (await pdp("audit", "export", "log.jsonl", "--as", "dana")).status == 0
    verified = await pdp("audit", "verify", "log.jsonl", PDP_STATE=str(log / "state"))
    assert verified.status == 0, verified.err
    (log / "anchor.json").write_text(verified.out)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PDP_STATE", "state")
    return tmp_path


def typed(command: str, log: Path) -> None:
    """Run a shell command that makes `file` of the export `$log` or the older one `$early`."""
    names = {"log": str(log / "log.jsonl"), "early": str(log / "early.jsonl"), "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], check=True, env=names)


WHOLE = {
    "gzip": ("gzip -c $log > file", r"it is gzip; unpack it by `gunzip`"),
    "gzip twice": ("gzip -c $log | gzip -c > file", r"it is gzip; unpack it by `gunzip`; it is gzip"),
    "bzip2": (
        (
            "python3 -c 'import bz2,sys; sys.stdout.buffer.write(bz2.compress(open(sys.argv[1],\"rb\").read()))' "
            "$log > file"
        ),
        r"it is bzip2; unpack it by `bunzip2`",
    ),
    "byte order mark": (r"(printf '\xef\xbb\xbf'; cat $log) > file", r"it begins with a byte order mark \(BOM\)"),
    "UTF-16": ("iconv -f utf-8 -t utf-16 $log > file", r"it is in UTF-16; make UTF-8 of it by `iconv"),
    "UTF-16 without a mark": ("iconv -f utf-8 -t utf-16le $log > file", r"it is in UTF-16"),
    "UTF-32": ("iconv -f utf-8 -t utf-32 $log > file", r"it is in UTF-32"),
    "UTF-16 in gzip": ("iconv -f utf-8 -t utf-16 $log | gzip -c > file", r"it is gzip.*; it is in UTF-16"),
    "doubled": ("cat $log $log > file", r"it is doubled: what stands in line 1 stands in line \d+ again"),
    "doubled without its header": (
        "(cat $log; tail -n +2 $log) > file",
        r"it is doubled: what stands in line 2 stands",
    ),
    "each line twice": ("sed p $log > file", r"it is doubled: what stands in line 1 stands in line 2 again"),
    "an older one before it": ("cat $early $log > file", r"it is doubled"),
    "formatted anew": (
        (
            "python3 -c 'import json,sys; [print(json.dumps(json.loads(line), indent=2)) "
            "for line in open(sys.argv[1])]' $log > file"
        ),
        r"it was formatted anew; make lines of it by",
    ),
    "the next line begun": ("(cat $log; head -c 30 $early) > file", r"it is cut within line \d+"),
}


@pytest.mark.parametrize(("command", "says"), WHOLE.values(), ids=WHOLE.keys())
@pytest.mark.parametrize("anchored", [False, True])
def test_whole_export_in_another_form_is_named_with_1(
    log: Path, here: Path, command: str, says: str, *, anchored: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(command, log)
    since = ["--since", log / "anchor.json"] if anchored else []
    assert invoked("audit", "verify", "file", *since) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(f"file is not as it was exported: {says}", err), err
    assert "was not changed; verify the file as it was exported" in err
    assert "NOT INTACT" not in err
    assert is_harmless(err)
    assert not (here / "state").exists()


LACKING = {
    "cut": "head -c -40 $log > file",
    "cut at a line's end": "head -n -1 $log > file",
    "cut and packed": "head -n -1 $log | gzip -c > file",
    "packed and cut": "gzip -c $log | head -c -300 > file",
    "cut and in UTF-16": "head -n -1 $log | iconv -f utf-8 -t utf-16 > file",
    "cut and doubled": "(head -n -1 $log; head -n -1 $log) > file",
    "cut within its header": "head -c 20 $log > file",
    "nothing": ": > file",
    "nothing, packed": ": | gzip -c > file",
    "something else": "head -c 1000 /dev/urandom > file",
    "an archive": r"(printf 'PK\003\004'; cat $log) > file",
}


@pytest.mark.parametrize("command", LACKING.values(), ids=LACKING.keys())
def test_what_an_anchor_has_seen_and_the_file_lacks_is_13_whatever_its_form(
    log: Path, here: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(command, log)
    assert invoked("audit", "verify", here / "file", "--since", log / "anchor.json") == 13
    assert "NOT INTACT: " in capsys.readouterr().err


NAMED = {
    "cut": ("head -c -40 $log > file", "it is cut within line"),
    "packed and cut": ("gzip -c $log | head -c -300 > file", "what is packed in it is cut"),
    "cut within its header": ("head -c 20 $log > file", "is not an exported log: it is cut within line 1"),
    "an archive": (r"(printf 'PK\003\004'; cat $log) > file", "it is a zip archive; unpack it by `unzip`"),
    "another log behind it": (
        '(cat $log; sed \'s/"realm": "dev"/"realm": "prod"/\' $log) > file',
        "another export begins in",
    ),
}


@pytest.mark.parametrize(("command", "says"), NAMED.values(), ids=NAMED.keys())
def test_without_an_anchor_a_cut_file_is_named_with_1(
    log: Path, here: Path, command: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(command, log)
    assert invoked("audit", "verify", here / "file") == 1
    assert says in capsys.readouterr().err


PACKING: Sequence[str] = ("gzip -c", "iconv -f utf-8 -t utf-16", "sed p", "head -c -40")


@pytest.mark.parametrize("command", PACKING)
def test_changed_record_is_13_in_every_form(
    log: Path, here: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = lines(log / "log.jsonl")
    changed[1]["records"][0] = changed[1]["records"][0].replace('"kind":"', '"kind":"x')
    (here / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    typed(f"{command} $log > file", here)
    assert invoked("audit", "verify", here / "file") == 13
    assert "NOT INTACT: record at writer" in capsys.readouterr().err


def test_line_ends_of_windows_change_nothing(log: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed("sed 's/$/\\r/' $log > file", log)
    assert invoked("audit", "verify", here / "file", "--since", log / "anchor.json") == 0
    assert "intact: " in capsys.readouterr().err


@pytest.mark.parametrize("elsewhere", ["/proc/none/state", "taken/state"])
def test_anchor_that_cannot_be_kept_is_a_note(
    log: Path, here: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "taken").write_text("")
    monkeypatch.setenv("PDP_STATE", elsewhere)
    assert invoked("audit", "verify", log / "log.jsonl") == 0
    out, err = capsys.readouterr()
    assert out == (log / "anchor.json").read_text()
    assert "intact: " in err
    assert f"note: the anchor could not be kept in {elsewhere} (" in err
