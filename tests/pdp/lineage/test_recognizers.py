"""The recognizers of presidio-analyzer: what they see, that they are alone, and that they ask nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdp.lineage.recognizers import KINDS, is_address

SEES = {
    "email": ["anna.meier@example.com", "x@xn--mller-kva.de"],
    "phone": ["+49 30 901820", "(212) 555-0100"],
    "credit_card": ["4111 1111 1111 1111", "5555555555554444"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
    "ip_address": ["192.168.0.1", "2001:db8::1"],
    "national_id": ["078-05-1126", "RSSMRA85T10A562S", "44051401359"],
}
NOT = ["12345", "a plain sentence", "2024-01-01", "ACME Ltd.", "4111 1111 1111 1112", "not@an-address", "DE00 1234"]
ALONE = """
import json, sys
def forbidden(event, arguments):
    if event.startswith("socket."):
        tried.extend([event] * (event != "socket.__new__"))  # urllib3 makes one as it is imported
        raise PermissionError(event)
tried = []
sys.addaudithook(forbidden)
from pdp.lineage.recognizers import recognizers
texts = json.load(sys.stdin)
print(json.dumps([[text, one.kind, one.score(text)] for text in texts for one in recognizers()]))
print(json.dumps([one.name for one in recognizers()]))
print(json.dumps(tried + sorted(name for name in sys.modules if name.startswith(("en_core", "torch", "transformers")))))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, float]], list[str], list[str]]:
    """What they say of all texts in a process that may not touch a socket."""
    texts = [*(text for several in SEES.values() for text in several), *NOT]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE],
        input=json.dumps(texts), capture_output=True, text=True, check=True, cwd=Path.cwd(),
        env={**os.environ, "TLDEXTRACT_CACHE": str(tmp_path_factory.mktemp("suffixes"))},
    )  # fmt: skip
    rows, names, models = (json.loads(line) for line in ran.stdout.splitlines())
    scores: dict[str, dict[str, float]] = {}
    for text, kind, score in rows:
        scores.setdefault(text, {})[kind] = max(score, scores.get(text, {}).get(kind, 0.0))
    return scores, names, models


def test_they_see_their_kinds_with_sockets_forbidden(
    alone: tuple[dict[str, dict[str, float]], list[str], list[str]],
) -> None:
    scores, _, _ = alone
    for kind, texts in SEES.items():
        for text in texts:
            assert scores[text].get(kind, 0.0) >= 0.4, (kind, text)
    for text in NOT:
        assert {kind: score for kind, score in scores[text].items() if score >= 0.5} == {}, text


def test_each_has_its_version_in_its_name_and_neither_a_model_nor_a_socket_is_touched(
    alone: tuple[dict[str, dict[str, float]], list[str], list[str]],
) -> None:
    _, names, tried = alone
    assert len(set(names)) == len(KINDS)
    assert all(name.startswith("presidio-analyzer/2.") for name in names)
    assert tried == [], "a library that may not ask the network goes on without, so it must not have tried"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@example.com", True),
        ("a@sub.example.co.uk", True),
        ("a@xn--bcher-kva.xn--p1ai", True),
        ("a@bücher.de", True),
        ("a@localhost", False),
        ("a@1.2.3.4", False),
        ("a@-x.de", False),
        ("a@x..de", False),
        ("@example.com", False),
        ("a" * 65 + "@example.com", False),
        ("a@" + "x." * 130 + "de", False),
    ],
)
def test_an_address_has_a_domain_that_can_be(text: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_address(text) is is_one
