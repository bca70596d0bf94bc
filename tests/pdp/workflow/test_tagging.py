"""Stewards say what is in data, and recognizers suggest it."""

from typing import Any

import pytest

from pdp.caller import Caller, Role
from pdp.errors import InvalidRequest, NotAllowed, NotFound
from pdp.lineage.fact import Event, Source, Unlinked
from pdp.lineage.limits import COLUMN_TAGS, Limits
from pdp.lineage.listing import declared, proposals
from pdp.lineage_settings import LineageWriter
from pdp.store.database import Database
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import (
    ClassifyRequest,
    DataName,
    LineageColumn,
    SettleSuggestionRequest,
    Suggestion,
    SuggestRequest,
    TagRequest,
)
from pdp.workflow.known_data import KnownData
from pdp.workflow.tagging import MAX_SUGGESTIONS, TaggingData
from tests.pdp.lineage_known import CRM, SETTINGS, STAGE, Known, derived, known, tagged

BOB = Caller("user:bob", "person", frozenset({Role.STEWARD}), (), b"{}")
DATA = DataName(dataset=DatasetName(namespace=CRM.namespace, name=CRM.name))


def tagging(log: Known) -> TaggingData:
    unasked: Any = None
    return TaggingData(KnownData(SETTINGS, unasked, log.past()), log.say, Limits(lambda: log.graph))


def said(log: Known) -> list[tuple[str, str, Source, str]]:
    return [(one.column, one.tag, one.source, one.by) for one in declared(log.graph)]


async def test_tag_is_folded_kept_with_its_reason_and_travels(database: Database) -> None:
    async with known(database) as log:
        await log.write([derived(1, CRM, STAGE, ("email", "mail"))])
        dataset, at = await tagging(log).tag(TagRequest(data=DATA, column="EMail", tag=" PII ", reason="seen"), BOB)
        assert (dataset, at.n) == (CRM, 2)
        assert said(log)[0] == ("email", "pii", Source.PERSON, "user:bob")
        assert declared(log.graph)[0].what.reason == "seen"
        assert log.views.view("file", "stage/customers", log.revision).columns["mail"] == ["pii"]


@pytest.mark.parametrize(
    "tag", ["unclassified", "Unclassified", "unclassified=1", "pii:masked", "", "-x", "a b", "x" * 65]
)
async def test_what_cannot_be_a_tag_is_refused_with_its_path(database: Database, tag: str) -> None:
    async with known(database) as log:
        with pytest.raises(InvalidRequest, match="tag: "):
            await tagging(log).tag(TagRequest(data=DATA, column="email", tag=tag), BOB)
        column = LineageColumn(name="email", tags=["ok", tag])
        with pytest.raises(InvalidRequest, match=r"columns\[0\]\.tags\[1\]: "):
            await tagging(log).classify(ClassifyRequest(data=DATA, columns=[column]), BOB)
        assert log.revision.n == 0


async def test_columns_are_classified_also_as_holding_nothing(database: Database) -> None:
    async with known(database) as log:
        await log.write([derived(1, CRM, STAGE, ("id", "id"), ("email", "mail"))])
        assert log.views.view("table", "public.customers", log.revision).tags == ["unclassified"]
        columns = [LineageColumn(name="ID"), LineageColumn(name="email", tags=["pii", "contact"])]
        await tagging(log).classify(ClassifyRequest(data=DATA, columns=columns), BOB)
        view = log.views.view("table", "public.customers", log.revision)
        assert view.columns == {"email": ["contact", "pii"]}
        assert ("id", "", Source.PERSON, "user:bob") in said(log)


async def test_what_is_declared_counts_for_the_names_that_data_has_then(database: Database) -> None:
    joined = Event(by="workload:etl", at=1, event="a" * 64, aliases=((CRM, STAGE),), schemas={STAGE: ["email", "id"]})
    async with known(database) as log:
        await log.write([joined])
        await tagging(log).classify(ClassifyRequest(data=DATA, columns=[LineageColumn(name="id")]), BOB)
        await tagging(log).tag(TagRequest(data=DATA, column="email", tag="pii"), BOB)
        assert log.views.view("file", "stage/customers", log.revision).tags == ["pii"]
        await log.write([Unlinked(by="user:bob", at=2, one=CRM, other=STAGE)])
        assert log.views.view("file", "stage/customers", log.revision).tags == ["unclassified"]


async def test_too_many_or_no_columns_tags_and_suggestions_are_refused(database: Database) -> None:
    async with known(database) as log:
        many = LineageColumn(name="c", tags=[f"t{n}" for n in range(COLUMN_TAGS + 1)])
        for columns in ([], [LineageColumn(tags=["pii"])], [many], [LineageColumn(name="c" * 1025)]):
            with pytest.raises(InvalidRequest, match="columns"):
                await tagging(log).classify(ClassifyRequest(data=DATA, columns=columns), BOB)
        good = Suggestion(column="c", tag="pii", score=0.5, hits=1, recognizer="r/1")
        for suggestions in ([], [good] * (MAX_SUGGESTIONS + 1)):
            with pytest.raises(InvalidRequest, match="suggestions"):
                await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=suggestions), BOB)


@pytest.mark.parametrize(
    ("member", "value"), [("column", ""), ("tag", "x:y"), ("score", 1.1), ("hits", -0.1), ("recognizer", "")]
)
async def test_suggestion_that_is_not_whole_is_refused(database: Database, member: str, value: Any) -> None:
    one = Suggestion(column="c", tag="pii", score=0.5, hits=1, recognizer="r/1")
    setattr(one, member, value)
    async with known(database) as log:
        with pytest.raises(InvalidRequest, match=rf"suggestions\[0\]\.{member}"):
            await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one]), BOB)


async def test_suggestion_binds_nothing_until_it_is_accepted(database: Database) -> None:
    one = Suggestion(column="email", tag="pii", score=0.9, hits=1, recognizer="r/1")
    async with known(database) as log:
        new, _ = await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one, one]), BOB)
        assert len(new) == 1
        assert said(log) == []
        assert [found.is_accepted for found in proposals(log.graph)] == [None]
        await tagging(log).settle(SettleSuggestionRequest(suggestion_id=new[0].suggestion, accept=True), BOB)
        assert said(log) == [("email", "pii", Source.SUGGESTION, "user:bob")]
        assert proposals(log.graph) == []
        assert [found.is_accepted for found in proposals(log.graph, accepted=True)] == [True]


async def test_writer_suggests_for_its_own_namespaces_alone(database: Database) -> None:
    one = Suggestion(column="email", tag="pii", score=0.9, hits=1, recognizer="r/1")
    request = SuggestRequest(data=DATA, suggestions=[one])
    own, other, unknown = (
        Caller(f"agent:{name}", "workload", frozenset({Role.LINEAGE_WRITER}), (), b"{}")
        for name in ("own", "other", "x")
    )
    writers = {
        "agent:own": LineageWriter(namespaces=(CRM.namespace,)),
        "agent:other": LineageWriter(namespaces=("s3:*",)),
    }
    settings = SETTINGS.model_copy(update={"writers": writers})
    async with known(database) as log:
        unasked: Any = None
        suggesting = TaggingData(KnownData(settings, unasked, log.past()), log.say, Limits(lambda: log.graph))
        for caller, reason in ((other, "DATASET_FOREIGN"), (unknown, "NO_LINEAGE_WRITER")):
            with pytest.raises(NotAllowed) as refused:
                await suggesting.suggest(request, caller)
            assert refused.value.reason == reason
        new, _ = await suggesting.suggest(request, own)
        assert len(new) == 1


async def test_rejected_suggestion_comes_again_only_with_another_version(database: Database) -> None:
    one = Suggestion(column="email", tag="pii", score=0.9, hits=1, recognizer="r/1")
    async with known(database) as log:
        new, _ = await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one]), BOB)
        await tagging(log).settle(SettleSuggestionRequest(suggestion_id=new[0].suggestion), BOB)
        one.hits = 0.5
        again, at = await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one]), BOB)
        assert (again, at) == ([], log.revision)
        one.recognizer = "r/2"
        again, _ = await tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one]), BOB)
        assert len(again) == 1
        assert said(log) == []
        with pytest.raises(NotFound):
            await tagging(log).settle(SettleSuggestionRequest(suggestion_id="sug_x", accept=True), BOB)


async def test_what_is_full_is_refused_whoever_says_it(database: Database) -> None:
    async with known(database) as log:
        await log.write([tagged(tag=f"t{n}") for n in range(COLUMN_TAGS)])
        one = Suggestion(column="email", tag="pii", score=0.9, hits=1, recognizer="r/1")
        column = LineageColumn(name="email", tags=["pii"])
        for refused in (
            tagging(log).tag(TagRequest(data=DATA, column="email", tag="pii"), BOB),
            tagging(log).classify(ClassifyRequest(data=DATA, columns=[column]), BOB),
            tagging(log).suggest(SuggestRequest(data=DATA, suggestions=[one]), BOB),
        ):
            with pytest.raises(NotAllowed) as error:
                await refused
            assert error.value.reason == "LINEAGE_FULL"
        await tagging(log).tag(TagRequest(data=DATA, column="email", tag="t1"), BOB)
