"""Files of requests: what is something else is named as what it is, with the line."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from tests.cli.terminal import invoked
from tests.parts import asking

LINE = json.dumps(json_format.MessageToDict(asking()))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{LINE}\n{LINE}\n{{broken\n", "requests, line 3 is not an AuthorizeRequest"),
        (f"{LINE}\n[1]\n", "requests, line 2 is a JSON array and not one AuthorizeRequest"),
        (f'{LINE}\n\n{{"subjct": {{}}}}\n', 'requests, line 3 is not an AuthorizeRequest: Message type "pdp.v1'),
        ('{\n  "subject": {},\n  "action": {,}\n}', "line 3 column 14"),
        ('{"action": {"name": "a"}, "action": {"name": "b"}}', "duplicate key action"),
        ("\n \n", "requests does not hold a request"),
        (b"\xff\xfe{\0}\0", "requests is UTF-16 text; make it UTF-8, for example with: iconv -f UTF-16 -t UTF-8"),
        ("{}".encode("utf-16-be"), "requests is UTF-16 text"),
        (b"\x1f\x8b\x08", "requests is compressed with gzip"),
        ('{"a": "\u00e4"}'.encode("latin-1"), "requests is not UTF-8 text"),
        (f"[{LINE}]", "requests is a JSON array and not one AuthorizeRequest; a batch has one on each line, as jq -c"),
        ("[\n  {}\n]", "requests is a JSON array"),
        ("[" * 100_000, "requests is not an AuthorizeRequest"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(
    content: str | bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requests").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert invoked("authorize", "--token", "x", "-f", "requests") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_a_suggestion_is_read_as_requests_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.json").write_bytes("{}".encode("utf-16"))
    suggest = ["approvals", "send-back", "apr_1", "--reason", "r", "--token", "x", "--suggest", tmp_path / "s.json"]
    assert invoked(*suggest) == 2
    assert "s.json is UTF-16 text" in capsys.readouterr().err
    (tmp_path / "s.json").write_text("[{}]")
    assert invoked(*suggest) == 2
    assert "s.json is a JSON array and not one Request" in capsys.readouterr().err
