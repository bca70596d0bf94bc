import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit import export
from pdp.audit.record import Entry, Kind, entry
from pdp.audit.verify import Anchor, Verifier
from pdp.v1.audit_pb2 import Batch
from tests.pdp.scribe import Scribe

HEADER = '{"format": "placet/audit/v1", "realm": "dev", "jwks": {}}\n'


@pytest.fixture(scope="module")
def scribe() -> Scribe:
    return Scribe(Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def log(scribe: Scribe) -> list[Batch]:
    first = scribe.first(entry(Kind.SERVER_STARTED), entry(Kind.DECISION, '{"a":"é😀"}'.encode()))
    return [first, scribe.behind(first, entry(Kind.WRITER_CLOSED))]


def test_anchor_survives_its_file(scribe: Scribe, log: list[Batch]) -> None:
    verifier = Verifier("dev", scribe.key.public_key(), "kid")
    for batch in log:
        verifier.add(batch)
    anchor = verifier.finish()
    assert Anchor.from_json(anchor.to_json()) == anchor


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"format":"placet/anchor/v2"}',
        b'{"format":"placet/anchor/v1"}',
        b'{"format":"placet/anchor/v1","realm":"dev","key":"k","writers":[]}',
        b'{"format":"placet/anchor/v1","realm":"dev","key":"k","writers":{"w":{}}}',
        b'{"format":"placet/anchor/v1","realm":"dev","key":"k","writers":{"w":{"seq":"x","head":"x"}}}',
        b'{"format":"placet/anchor/v1","realm":"dev","key":"k","writers":{"w":1}}',
    ],
    ids=bytes.decode,
)
def test_anchor_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an anchor|Expect|empty|EOF|document"):
        Anchor.from_json(text)


def test_export_reads_back_as_it_was_written(log: list[Batch]) -> None:
    file = io.StringIO()
    file.write(export.header_line(export.Header("dev", {"keys": []})))
    file.writelines(export.batch_line(batch) for batch in log)
    file.seek(0)
    header, read = export.read(file)
    assert header == export.Header("dev", {"keys": []})
    assert list(read) == log


def test_export_keeps_damaged_bytes_exactly(scribe: Scribe, tmp_path: Path) -> None:
    damaged = Entry(
        "rec_1", b'{"id":"\xff\xfe\xed\xa0\x80\xc0\x80 \xe2\x82\n\r\x00"}', b"s" * 16, b"\x80payload\xf4\x90\x80\x80"
    )
    log = [scribe.first(damaged)]
    path = tmp_path / "log.jsonl"
    path.write_text(HEADER + export.batch_line(log[0]), encoding="utf-8")
    with path.open(encoding="utf-8") as file:
        assert list(export.read(file)[1]) == log
    assert len(path.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("no JSON\n", 1),
        ("[]\n", 1),
        ("{}\n", 1),
        ('{"format": "placet/audit/v1"}\n', 1),
        ('{"format": "placet/audit/v1", "realm": 1, "jwks": {}}\n', 1),
        (HEADER + "\n", 2),
        (HEADER + "{", 2),
        (HEADER + "{}\n", 2),
        (HEADER + '{"writer": 1}\n', 2),
    ],
)
def test_file_that_is_no_export_is_refused_with_the_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=f"line {line}\\b"):
        list(export.read(io.StringIO(text))[1])


@pytest.mark.parametrize("field", ["writer", "seq", "prev", "head", "signature", "leaves", "records", "payloads"])
@pytest.mark.parametrize("value", [None, 1.5, "no hex", [1], {"a": 1}, -(2**70), "\ud800"], ids=repr)
def test_line_that_is_no_batch_is_refused_with_its_number(scribe: Scribe, field: str, value: Any) -> None:
    members = {**json.loads(export.batch_line(scribe.first(entry(Kind.DECISION)))), field: value}
    with pytest.raises(ValueError, match="line 2: not a batch"):
        list(export.read(io.StringIO(HEADER + json.dumps(members) + "\n"))[1])


def test_line_is_what_json_makes_of_it(scribe: Scribe) -> None:
    for entries in ([entry(Kind.DECISION)], [entry(Kind.DECISION, b"\xff\xc3\xa9")] * 3):
        line = export.batch_line(scribe.first(*entries))
        assert json.dumps(json.loads(line)) + "\n" == line
