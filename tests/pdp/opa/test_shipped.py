"""What ships is attacked: no change of what a caller says weakens an answer, but those that its data accepts."""

import asyncio
from pathlib import Path

import pytest
from google.protobuf import json_format

from pdp.environment import Environment
from pdp.opa.attack import Report, attacked
from pdp.opa.question import Question, given, heard
from pdp.policy import starter
from pdp.policy.sources import rego
from pdp.process.toolcache import opa
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.documents import PAGES, ROOT, sections
from tests.pdp.policy import test_seems_strict as strict

OPA = opa(Environment.read().tool_cache)
CASES = ROOT / "tests/cases/attack"
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").rglob("policy/data.json"))
PEOPLE = frozenset({"user"})
MOST_ACCEPTED = 3
"""Lines of `data.policy_attack.accepted` in one policy that ships. A start that people copy explains itself."""


def requests(*files: Path) -> list[Question]:
    return [
        given(file.name, json_format.Parse(text, AuthorizeRequest()), [], PEOPLE)
        for file in files
        for text in (file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()])
    ]


def found(folder: Path, *files: Path) -> Report:
    return asyncio.run(attacked(OPA, [folder], requests(*files), person_types=PEOPLE))


def holds(folder: Path, *files: Path) -> None:
    report = found(folder, *files)
    assert report.questions
    assert [(each.path, each.change, each.loss.what) for each in report.findings] == []
    assert report.unmatched == []
    assert sum(file.read_text().count('"change":') for file in folder.rglob("data.json")) <= MOST_ACCEPTED


def test_the_reference_policy_holds() -> None:
    holds(rego(), CASES / "reference.jsonl")


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.parent.name)
def test_an_example_holds(folder: Path) -> None:
    holds(folder, *sorted(folder.parent.glob("requests/*.json")))


def test_the_start_of_policy_init_holds(tmp_path: Path) -> None:
    starter.write(tmp_path / "policy")
    holds(tmp_path / "policy", CASES / "start.jsonl")


def test_the_todo_policy_holds() -> None:
    holds(ROOT / "tests/cases/authzen-todo/policy")


@pytest.mark.parametrize(
    ("page", "folder", "file"),
    [
        ("README.md", "policy", "readme.jsonl"),
        ("docs/policies.md", "policy", "policies.jsonl"),
        ("docs/operating.md", "rules", "operating.jsonl"),
    ],
)
def test_the_sample_of_a_page_holds(tmp_path: Path, page: str, folder: str, file: str) -> None:
    for block in (block for found in sections(page).values() for block in found):
        if block.file.startswith(f"{folder}/"):
            path = tmp_path / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    holds(tmp_path / folder, CASES / file)


def test_every_page_with_a_policy_is_attacked() -> None:
    pages = {page for page in PAGES for found in sections(page).values() for one in found if one.language == "rego"}
    assert pages == {"README.md", "docs/policies.md", "docs/operating.md", "docs/attacking.md"}  # which attacks itself


@pytest.mark.parametrize("name", strict.having("attacked"))
def test_a_policy_that_seems_strict_is_found(name: str) -> None:
    case = strict.CASES[name]
    asked = [
        heard(label, {**strict.joined(strict.REQUEST, change), "caller": strict.CALLER}, PEOPLE)
        for label, change in case["requests"].items()
    ]
    report = asyncio.run(attacked(OPA, [strict.FOLDER / name / "policy"], asked, person_types=PEOPLE))
    lost = {each.loss.rule for each in [*report.findings, *report.notes]}
    assert lost == set(case["attacked"])
