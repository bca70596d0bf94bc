"""A file that cannot be read is named once: as its author knows it, with line and column, and without consequences."""

from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.bundle import built
from pdp.policy.check import checked
from pdp.policy.sources import read
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
RULE = """package policy

allow contains {"rule": "free", "reason": sprintf("up to %v", [data.limits.free])} if {
\tis_number(input.context.amount)
\tinput.context.amount <= data.limits.free
}

deny contains {"rule": "desk", "reason": data.desk.reason} if not input.subject.id in data.desk.names
"""
DATA = '{\n  "limits": {"free": 100},\n  "desk": {"names": ["a"], "reason": "no"}\n}\n'
BROKEN: dict[str, tuple[str, bytes, str]] = {
    "a comma is missing": (
        "data.json",
        DATA.replace("100},", "100}").encode(),
        "data.json:3: it is not JSON at column 3; write one JSON or YAML object [bad-data]",
    ),
    "an end is missing": ("data.json", DATA[:40].encode(), "data.json:3: it is not JSON at column 12; "),
    "a comment": ("data.json", b"// limits\n{}", "data.json:1: it is not JSON at column 1; "),
    "NaN": ("data.json", b'{\n"a": NaN}', "data.json:2: it is not JSON at column 6; "),
    "empty": ("data.json", b"", "data.json: it is empty; write one JSON or YAML object [bad-data]"),
    "a list": ("data.json", b"[]", "data.json: write one JSON or YAML object [bad-data]"),
    "JSON with a byte order mark": (
        "data.json",
        b"\xef\xbb\xbf" + DATA.encode(),
        "data.json: it begins with a byte order mark (BOM); save it as UTF-8 without one [encoding]",
    ),
    "JSON in UTF-16": ("data.json", DATA.encode("utf-16"), "data.json: it is in UTF-16; save it as UTF-8 [encoding]"),
    "JSON in Latin-1": (
        "data.json",
        DATA.replace("no", "n\xf6").encode("latin-1"),
        "data.json:3: it is not UTF-8; save it as UTF-8 [encoding]",
    ),
    "YAML": ("data.yaml", b"a:\n  - b\n c: [\n", "data.yaml:2: it is not YAML here; write one JSON or YAML object"),
    "a schema": (
        "schema/context/pay.json",
        b'{"type": object}',
        "pay.json:1: it is not JSON at column 10; write a JSON",
    ),
}


def written(folder: Path, **files: bytes) -> Path:
    for name, content in {"p.rego": RULE.encode(), "data.json": DATA.encode(), **files}.items():
        path = folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "policy"


@pytest.mark.parametrize(("name", "content", "wanted"), BROKEN.values(), ids=BROKEN.keys())
def test_unreadable_file_is_the_only_finding(name: str, content: bytes, wanted: str, tmp_path: Path) -> None:
    folder = written(tmp_path, **{name: content})
    findings, warnings = checked(OPA, [folder], {})
    assert [str(finding).removeprefix(f"{folder}/").rpartition("/")[2].startswith(wanted) for finding in findings] == [
        True
    ]
    assert not warnings or name.startswith("schema")


@pytest.mark.parametrize(("name", "content", "wanted"), BROKEN.values(), ids=BROKEN.keys())
def test_build_says_it_too(name: str, content: bytes, wanted: str, tmp_path: Path) -> None:
    folder = written(tmp_path, **{name: content})
    with pytest.raises(SetupError) as refused:
        built(OPA, read([folder]), tmp_path / "bundle.tar.gz", tmp_path, {})
    assert wanted in refused.value.sentence
    assert refused.value.sentence.count("\n") == 1


REGO: dict[str, tuple[bytes, str]] = {
    "CRLF": (RULE.replace("\n", "\r\n").encode(), "p.rego: its lines end with CRLF, as on Windows; save it with LF"),
    "byte order mark": (b"\xef\xbb\xbf" + RULE.encode(), "p.rego: it begins with a byte order mark (BOM); save it as"),
    "UTF-16": (RULE.encode("utf-16"), "p.rego: it is in UTF-16; save it as UTF-8 [encoding]"),
    "Latin-1": (
        RULE.replace("up to", "b\xfcs").encode("latin-1"),
        "p.rego:3: it is not UTF-8; save it as UTF-8 [encoding]",
    ),
}


@pytest.mark.parametrize(("content", "wanted"), REGO.values(), ids=REGO.keys())
def test_rego_of_an_editor_on_windows_is_named_as_that(content: bytes, wanted: str, tmp_path: Path) -> None:
    folder = written(tmp_path, **{"p.rego": content})
    (finding,) = checked(OPA, [folder], {})[0]
    assert str(finding).startswith(f"{folder}/{wanted}")


def test_clash_of_data_names_both_files(tmp_path: Path) -> None:
    folder = written(tmp_path, **{"limits/data.json": b'{"free": 3}'})
    (finding,) = checked(OPA, [folder], {})[0]
    assert str(finding) == (
        f"{folder}/limits/data.json: `data.limits.free` is written in {folder}/data.json too; keep one of them "
        "[conflicting-data]"
    )


def test_clash_inside_a_file_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path, **{"data.json": DATA.replace("}\n}", '},\n  "limits": {"free": 1}\n}').encode()})
    (finding,) = checked(OPA, [folder], {})[0]
    assert str(finding).startswith(f"{folder}/data.json: `limits` is written twice in one object")
