"""Masks follow the tags that lineage has for the columns, as of what the decision knows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest

import masker
from masker import keys as key_files
from pdp.canonical import canonical
from pdp.decision import Effect, Verdict
from pdp.masking.question import AT_ONCE
from pdp.masking.rows import Shape
from pdp.opa.quarantine import Suspect
from pdp.opa.waiting import Question
from pdp.workflow.answer import Ask
from pdp.workflow.lineage_views import NO_LINEAGE, LineageViews
from pdp.workflow.mask_plans import MaskPlans
from pdp.workflow.mask_work import Work
from tests.known import Known
from tests.parts import asking
from tests.pdp.specimens import BOT


class Policy:
    """A policy with one mask for every column; it keeps what it was asked."""

    def __init__(self, lineage: LineageViews) -> None:
        self.lineage, self.asked = lineage, list[Question]()

    async def each(self, questions: Sequence[Question]) -> list[Any]:
        *self.asked, _ = questions
        return [*map(self._masks, self.asked), "judged"]

    def _masks(self, question: Question) -> Any:
        entry = {"rule": "all", "reason": "all", "columns": ["*"], "mask": "redact"}
        columns = {column["name"]: [entry] for column in orjson.loads(question.input)["columns"]}
        people = {"agent:bot": "agent:bot"}
        return {"entries": [entry], "columns": columns, "domains": {}, "people": people, "revisions": ["r1"]}

    def question(self, ask: Ask) -> Question:
        return Question(ask.canonical.json, Suspect(ask.caller.identity))

    def verdict(self, _: object) -> Verdict:
        return Verdict(Effect.ALLOW, (), "r1")

    async def plan(self, _caller: str, made: Any, _width: int) -> Any:
        return made()

    async def require(self, _: object) -> None:
        """Every domain is known."""


@pytest.fixture
def keys(tmp_path: Path) -> masker.Keyring:
    key_files.create(tmp_path / "mask.json", "dev", now=datetime.now(UTC))
    return masker.Keyring.load(tmp_path / "mask.json")


async def asked(lineage: LineageViews, keys: masker.Keyring, *columns: str) -> list[Question]:
    parts: Any = Policy(lineage)
    plans = MaskPlans(frozenset({"user"}), parts, parts, parts, parts)
    request = asking("mask", resource={"type": "table", "id": "t"})
    ask = Ask(request, BOT, canonical(request, "dev"), 0, lineage=lineage.view("table", "t"))
    shape = Shape(pa.schema([(name, pa.string()) for name in columns]))
    await plans.planned(Work("mask", shape), ask, keys)
    found: list[Question] = parts.asked
    return found


async def test_policy_gets_the_tags_of_each_column_by_its_name(keys: masker.Keyring) -> None:
    [question] = await asked(Known({"t": {"email": ["pii"], "id": []}}), keys, "email", "id", "new")
    columns = {column["name"]: column["tagged"] for column in orjson.loads(question.input)["columns"]}
    assert columns == {"email": {"email": ["pii"]}, "id": {}, "new": {"new": ["unclassified"]}}
    assert orjson.loads(question.lineage)["tags"] == ["pii"]


async def test_each_part_of_a_wide_table_is_asked_with_the_same_view(keys: masker.Keyring) -> None:
    wide = [f"c{number}" for number in range(2 * AT_ONCE)]
    questions = await asked(Known({"t": {"c0": ["pii"]}}), keys, *wide)
    assert len(questions) == 2
    assert questions[0].lineage is questions[1].lineage


async def test_without_lineage_columns_have_no_tags_of_it(keys: masker.Keyring) -> None:
    [question] = await asked(NO_LINEAGE, keys, "email")
    assert orjson.loads(question.input)["columns"][0]["tagged"] == {}
    assert question.lineage == b'{"state":"OFF"}'
