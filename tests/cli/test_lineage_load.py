"""`pdp lineage load` sends events from files of every form, and says what became of them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_approvals import on_terminal
from tests.pdp.http.test_lineage import event

LOAD = ["lineage", "load", "--as", "etl"]


def written(folder: Path, name: str, *events: Any) -> str:
    """A file of events in the form that its name says."""
    lines = "".join(f"{json.dumps(one)}\n" for one in events).encode()
    text = lines if ".jsonl" in name else json.dumps(list(events)).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return name


@pytest.mark.parametrize("name", ["events.jsonl", "events.json", "events.jsonl.gz", "events.json.gz", "a b é.jsonl"])
async def test_file_of_each_form_is_taken_and_again_it_is_known(pdp: Terminal, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, name, event(), event())
    first = await pdp(*LOAD, file)
    assert first.status == 0
    assert (first.json["events"], first.json["taken"], first.json["known"]) == (2, 2, 0)
    assert first.json["revision"] > 0
    again = await pdp(*LOAD, file)
    assert (again.json["taken"], again.json["known"]) == (0, 2)


async def test_one_event_alone_and_standard_input_are_taken(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(event(), indent=2))
    assert (await pdp(*LOAD, "one.json")).json["taken"] == 1
    found = await pdp(*LOAD, "-", given=json.dumps(event()))
    assert (found.status, found.json["taken"]) == (0, 1)


async def test_some_refused_ends_with_1_and_the_others_are_taken(pdp: Terminal, tmp_path: Path) -> None:
    found = await pdp(*LOAD, written(tmp_path, "events.jsonl", event(), {}, event()))
    assert found.status == 1
    assert found.json["taken"] == 2
    [refused] = found.json["refused"]
    assert refused.startswith("events.jsonl, event 2: ")
    assert "INVALID_REQUEST" in refused


async def test_dry_run_needs_no_server_and_says_what_becomes_coarse(tmp_path: Path) -> None:
    alone = Terminal(tmp_path, {})
    found = await alone("lineage", "load", "--dry-run", written(tmp_path, "events.jsonl", event(), {}))
    assert found.status == 1
    assert found.json["coarse"] == ["events.jsonl, event 1: s3://lake/patrons"]
    assert len(found.json["refused"]) == 1
    assert found.json["revision"] == 0


async def test_on_a_terminal_it_is_told_in_words(pdp: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path, "events.jsonl", event(), {}, event(eventTime="soon"))
    said, status = await on_terminal(pdp, b"", *LOAD, file)
    assert status == 1
    assert "3 events: 2 taken, 1 refused" in said
    assert "coarse" in said
    assert "eventTime: is not a time" in said


async def test_bomb_stops_and_what_was_before_it_is_read(tmp_path: Path) -> None:
    alone = Terminal(tmp_path, {})
    lines = json.dumps(event()).encode() + b"\n"
    for name, text in (("line.gz", b'{"a":"' + b"x" * (1 << 26)), ("space.gz", b" " * (1 << 26) + b"nope")):
        (tmp_path / name).write_bytes(gzip.compress(lines) + gzip.compress(text) + bytes(512))
        found = await alone("lineage", "load", "--dry-run", name)
        assert found.status == 2
        assert "more than an event may be" in found.err
    (tmp_path / "members.gz").write_bytes(gzip.compress(lines) + gzip.compress(lines) + bytes(512))
    assert (await alone("lineage", "load", "--dry-run", "members.gz")).json["events"] == 2


async def test_what_cannot_be_read_is_named(pdp: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("[1")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"{}")[:10] + b"nope" * 9)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"{}")[:-4])
    for name, told in (
        ("none.json", "No such file"),
        ("bad.json", "bad.json: there is no `]`"),
        ("cut.gz", "gzip"),
        ("broken.gz", "gzip"),
    ):
        found = await pdp(*LOAD, name)
        assert found.status == 2
        assert told in found.err


async def test_caller_who_may_not_is_told_so(pdp: Terminal, tmp_path: Path) -> None:
    found = await pdp("lineage", "load", "--as", "bob", written(tmp_path, "events.jsonl", event()))
    assert (found.status, found.out) == (77, ""), found.err
    assert "needs the role lineage_writer" in found.err
