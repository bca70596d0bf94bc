import dataclasses
import json
from collections.abc import Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage.entry import NotAnEntry, decode, encode
from pdp.lineage.fact import Classified, Dataset, Edge, Event, Fact, Output, Rules, Tagged, Tagging, TagRule, Way

KINDS: tuple[type[Any], ...] = get_args(Fact)
CRM = Dataset("postgres://crm:5432", "crm.public.customers")
MART = Dataset("postgres://dw:5432", "mart.customers")
EVENT = Event(
    by="workload:etl",
    at=1_700_000_000_000,
    event="ab" * 32,
    run="r1",
    job=("etl", "load"),
    inputs=(CRM,),
    outputs=(Output(MART, ("email", "n"), ("email",), (Edge("email", CRM, "email", Way.MASKED, "DIRECT/HASH"),)),),
    schemas={CRM: ("email",)},
    problems=(("outputs[0]", "names no column facet"),),
)
WRITTEN = (
    b'{"at":1700000000000,"by":"workload:etl","datasets":[["postgres://crm:5432","crm.public.customers"],'
    b'["postgres://dw:5432","mart.customers"]],"event":"' + b"ab" * 32 + b'","inputs":[0],"job":["etl","load"],'
    b'"kind":"event","outputs":[{"columns":["email","n"],"dataset":1,"edges":[["email",0,"email","masked",'
    b'"DIRECT/HASH"]],"named":["email"]}],"problems":[["outputs[0]","names no column facet"]],"run":"r1",'
    b'"schemas":[[0,["email"]]]}'
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
fractions = st.floats(0, 1) | st.floats(-1e9, 1e9) | st.floats(0, 1e-3)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, by its annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return st.one_of(*map(values, arguments))
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is not None:
        of = list(map(values, arguments))
        return st.dictionaries(*of, max_size=3) if issubclass(origin, Mapping) else st.lists(*of, max_size=3).map(tuple)
    if hint in {str, int, float, bool, NoneType}:
        return {str: texts, int: whole, float: fractions, bool: st.booleans(), NoneType: st.none()}[hint]
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    return st.builds(hint, **{name: values(one) for name, one in get_type_hints(hint).items()})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fact_comes_back_as_it_was(kind: type[Any]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(values(kind))
    def comes_back(fact: Any) -> None:
        encoded = encode(fact)
        assert decode(encoded) == fact
        assert encoded == rfc8785.dumps(json.loads(encoded))

    comes_back()


def test_entry_is_written_as_the_log_has_it() -> None:
    assert encode(EVENT) == WRITTEN
    assert decode(WRITTEN) == EVENT


def test_entry_of_lists_is_that_of_tuples() -> None:
    listed = dataclasses.replace(EVENT, inputs=[CRM], tags=[], aliases=[], problems=list(EVENT.problems))
    assert encode(listed) == WRITTEN


def test_order_of_a_mapping_does_not_matter() -> None:
    rules = {"pii": TagRule(), "a": TagRule(propagate=False)}
    one = Rules(by="pdp", at=1, policy_revision="r", tags=rules)
    other = dataclasses.replace(one, tags=dict(reversed(rules.items())))
    assert encode(one) == encode(other)


def test_column_that_is_declared_to_have_no_tags_is_kept() -> None:
    fact = Classified(by="user:ann", at=1, dataset=CRM, columns={"email": ()})
    assert decode(encode(fact)) == fact


def test_no_named_column_is_not_the_same_as_no_facet() -> None:
    both = [dataclasses.replace(EVENT, outputs=(Output(MART, named=named),)) for named in ((), None)]
    assert [decode(encode(fact)) for fact in both] == both
    assert encode(both[0]) != encode(both[1])


def changed(**members: Any) -> bytes:
    """The entry of `EVENT` with other members; None takes one away."""
    read = {**json.loads(WRITTEN), **members}
    return rfc8785.dumps({name: value for name, value in read.items() if value is not None})


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"7",
        b"\xff",
        b"{}",
        b"[" * 5000,
        WRITTEN + b" ",
        WRITTEN.replace(b'"run":"r1"', b'"run": "r1"'),
        WRITTEN.replace(b'"run":"r1"', b'"run":"r1","run":"r1"'),
        WRITTEN.replace(b'"at":1700000000000,"by":"workload:etl"', b'"by":"workload:etl","at":1700000000000'),
        changed(kind="strange"),
        changed(kind=["event"]),
        changed(kind=None),
        changed(by=None),
        changed(at="1700000000000"),
        changed(at=True),
        changed(at=1.5),
        changed(strange=1),
        changed(classifies=False),
        changed(classifies=1),
        changed(job=["etl"]),
        changed(job=["etl", "load", "x"]),
        changed(job=["etl", 1]),
        changed(inputs=[0, 2]),
        changed(inputs=[-1]),
        changed(inputs=[True]),
        changed(inputs=[1], schemas=None),
        changed(inputs=0),
        changed(datasets=None),
        changed(datasets=[list(CRM), list(MART), ["a", "b"]]),
        changed(datasets=[list(CRM), [*MART, ""]]),
        changed(schemas=[[0, ["email"]], [0, ["email"]]]),
        changed(schemas={"0": ["email"]}),
        changed(problems=[["outputs[0]"]]),
        changed(outputs=[{"columns": ["email"]}]),
        changed(outputs=[{"dataset": 1, "strange": 1}]),
        changed(outputs=[{"dataset": 1, "edges": [["email", 0, "email", "eaten", ""]]}]),
        changed(outputs=[{"dataset": 1, "edges": [["email", 0, "email", "carry"]]}]),
        changed(outputs=[{"dataset": 1, "named": None}]),
    ],
)
def test_bytes_that_encode_does_not_write_are_refused(encoded: bytes) -> None:
    with pytest.raises(NotAnEntry) as refused:
        decode(encoded)
    assert "etl" not in str(refused.value)


@settings(deadline=None)
@given(st.binary(max_size=40) | st.tuples(st.integers(0, len(WRITTEN) - 1), st.integers(0, 255)))
def test_decode_gives_a_fact_of_these_bytes_or_refuses(change: bytes | tuple[int, int]) -> None:
    encoded = (
        change if isinstance(change, bytes) else WRITTEN[: change[0]] + bytes([change[1]]) + WRITTEN[change[0] + 1 :]
    )
    try:
        assert encode(decode(encoded)) == encoded
    except NotAnEntry:
        return


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), 1e300])
def test_number_that_json_has_not_is_not_written(confidence: float) -> None:
    tagging = Tagging(CRM, "email", "pii", confidence)
    with pytest.raises(ValueError, match=r"a fact has|a number of a fact"):
        encode(Tagged(by="user:ann", at=1, tagging=tagging))


def test_half_of_a_surrogate_pair_is_not_written() -> None:
    with pytest.raises(ValueError, match="a fact has"):
        encode(dataclasses.replace(EVENT, run="\ud800"))
